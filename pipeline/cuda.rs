//! `accrue-cuda`: the same program, linked with NVIDIA's libraries. `accrue --device cuda` starts it.

fn main() -> std::process::ExitCode {
    accrue::engine::memory::keep_freed();
    // Only here, so that a commit compiles this file and not the library.
    accrue::command::main(option_env!("ACCRUE_REVISION").unwrap_or("unknown"))
}
