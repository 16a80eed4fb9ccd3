"""Floor 3: the gRPC edge: parse, convert, call a use case, convert back. Nothing below knows grpc."""
