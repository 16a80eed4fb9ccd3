"""The gRPC contract as Python; all but this file is generated from proto/."""
