#!/usr/bin/env bash
# Generate Java from the contract and compile the example into a folder (build/java unless another is named):
#
#     examples/java/build.sh && java -cp 'build/java:/usr/share/java/*' Morning 127.0.0.1:50051
#
# It needs a JDK, protoc, the grpc-java plugin and the jars of protobuf and grpc. On Debian:
#     apt-get install default-jdk-headless protobuf-compiler libprotobuf-dev protobuf-compiler-grpc-java-plugin libprotobuf-java libgrpc-java libnetty-java libperfmark-java
# JARS, PLUGIN and INCLUDES say where they are elsewhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build/java}
jars=${JARS:-/usr/share/java}
plugin=${PLUGIN:-$(command -v grpc_java_plugin)}
includes=${INCLUDES:-/usr/include}
rm -rf "$out" && mkdir -p "$out/generated/javax/annotation"
# shellcheck disable=SC2046 - names of our own, without spaces
protoc -Iproto -Ithird_party/googleapis -Iexamples/java -I"$includes" --java_out="$out/generated" \
  --plugin=protoc-gen-grpc-java="$plugin" --grpc-java_out="$out/generated" \
  $(find proto third_party/googleapis examples/java -name '*.proto')
# Older plugins mark what they make with an annotation that a JDK has no more since 11.
printf 'package javax.annotation;\npublic @interface Generated { String value(); String comments() default ""; }\n' \
  > "$out/generated/javax/annotation/Generated.java"
find "$out/generated" examples/java -name '*.java' > "$out/sources"
# It lives for seconds: compiling its own code well takes longer than running it.
javac -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC -nowarn -proc:none -d "$out" -cp "$jars/*" "@$out/sources"
