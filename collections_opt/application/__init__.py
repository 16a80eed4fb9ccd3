"""Floor 2: the use cases: training, importing, ranking, explaining, comparing. No grpc, no protobuf."""
