#!/usr/bin/env bash
# Generate Go from the contract and compile the example into a folder (build/go unless another is named):
#
#     examples/go/build.sh && build/go/morning 127.0.0.1:50051
#
# It needs Go, protoc with its plugins for Go, and the sources of grpc and protobuf. On Debian, which has them all:
#     apt-get install golang-go protobuf-compiler libprotobuf-dev protoc-gen-go protoc-gen-go-grpc golang-google-grpc-dev golang-google-protobuf-dev golang-google-genproto-dev golang-github-golang-protobuf-1-5-dev
# GOSOURCES and INCLUDES say where sources and the protos of protobuf are elsewhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath -m "${1:-build/go}")
sources=${GOSOURCES:-/usr/share/gocode}
includes=${INCLUDES:-/usr/include}
rm -rf "$out/src" && mkdir -p "$out/src/morning"
# shellcheck disable=SC2046 - names of our own, without spaces
protoc -Iproto -Ithird_party/googleapis -I"$includes" --go_out="$out/src" --go-grpc_out="$out/src" $(find proto -name '*.proto')
cp examples/go/morning.go "$out/src/morning/"
# Packages as Debian has them lie in a path of sources, not in modules: nothing is fetched.
GO111MODULE=off GOFLAGS='' GOPATH="$out:$sources" go build -o "$out/morning" morning
