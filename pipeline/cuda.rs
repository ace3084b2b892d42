//! `accrue-cuda`: the same program, linked with NVIDIA's libraries. `accrue --device cuda` starts it.

mod command;

fn main() -> std::process::ExitCode {
    command::main()
}
