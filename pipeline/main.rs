//! The program.

fn main() -> std::process::ExitCode {
    accrue::engine::memory::keep_freed();
    // Only here, so that a commit compiles this file and not the library.
    accrue::command::main(option_env!("ACCRUE_REVISION").unwrap_or("unknown"))
}
