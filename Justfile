# List the recipes.
default:
    @just --list

# Run every scenario on the namespace backend (the same as `cargo lab`).
lab *ARGS:
    cargo lab {{ARGS}}

# The lab with containers built in: cargo lab-docker.
lab-docker *ARGS:
    cargo lab-docker {{ARGS}}

# Build the images of the servers that have changed, and look at each from inside.
images *NAMES:
    cargo lab-docker images build {{NAMES}}
    cargo lab-docker images verify {{NAMES}}

# Real servers in containers: as whom they start the wrapper. Builds what it needs.
deploy *NAMES: images
    cargo lab-docker deploy {{NAMES}}

# The container backend's tests, of which some need a Docker engine.
test-docker:
    cargo test --package lab --features docker --lib
    LAB_REQUIRE=docker cargo test --package lab --features docker --test docker

# Run the tests.
test *ARGS:
    cargo test --workspace {{ARGS}}

# Everything that needs neither root nor Docker: formatting, lints, tests, scenario files.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace
    cargo lab check

# Show that the lab catches each deliberately broken wrapper.
specimens:
    cargo lab specimens

# Compare the model with the running kernel.
model:
    cargo lab model check

# Every fuzz target for so many seconds, from what is committed. Needs cargo-fuzz and a C++ compiler.
fuzz SECONDS="10":
    .ci/fuzz {{SECONDS}}

# Mutated starts of the installed wrappers, new ones each time: what is found is shown, and kept in .lab/fuzz.
fuzz-installed TIME="60s":
    cargo lab fuzz run mail-wrapper --time {{TIME}}
    cargo lab fuzz run cgi-wrapper --time {{TIME}}

# Ratios of the lab's cost to a bare fork and exec, within one run.
bench:
    cargo bench --profile lab --package lab

# Licences, sources and bans of the dependencies.
deny:
    cargo deny check bans licenses sources

# A static tree that runs outside a checkout: lab, agent, wrappers, scenarios, checksums.
dist DIR="target/dist":
    .ci/dist {{DIR}}

# Mutation score of the wrappers, with unit tests and the lab as judges; an hour, so CI shards it. Needs root.
mutants TASK="all" *ARGS:
    .ci/mutants {{TASK}} {{ARGS}}
