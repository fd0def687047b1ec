#!/usr/bin/env bash
# Fuzzes every target for so many seconds each: fuzz/run.sh [SECONDS]
#
# Stable Rust is enough: these are the flags that cargo-fuzz would pass. They go to our own target only,
# not to build scripts, because --target is named. What makes a target panic is left in the crashes folder.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
host=$(rustc -vV | sed -n 's/^host: //p')
out=${CARGO_TARGET_DIR:-target}/fuzz
targets=(create_request amounts queries scripts events chains stores notifications)

coverage=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cdebug-assertions
  --cfg=fuzzing
)
# Optimising across crates takes minutes and finds nothing.
RUSTFLAGS="${coverage[*]}" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  cargo build --locked --release --package fuzz --features libfuzzer --bins \
  --target "$host" --target-dir "$out"

for target in "${targets[@]}"; do
  corpus=$out/corpus/$target
  crashes=$out/crashes/$target/
  mkdir -p "$corpus" "$crashes"
  echo "== $target for $seconds s"
  "$out/$host/release/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$crashes" "$corpus" "fuzz/seeds/$target"
done
