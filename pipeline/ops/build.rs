//! With the feature `cuda`: NVIDIA's compiler over `kernels/`.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    let kernels = Path::new("kernels");
    println!("cargo::rerun-if-changed={}", kernels.display());
    println!("cargo::rerun-if-env-changed=CUDA_COMPUTE_CAP");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let cap = std::env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "90".into());
    // Machine code for that card, and what newer ones can translate.
    let code = format!("arch=compute_{cap},code=[sm_{cap},compute_{cap}]");
    for name in ["persistent", "rounded", "naive", "around"] {
        let status = Command::new("nvcc")
            .args(["-fatbin", "-std=c++17", "-O3", "-gencode", &code, "-o"])
            .arg(out.join(name).with_extension("fatbin"))
            .arg(kernels.join(name).with_extension("cu"))
            .status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => panic!("nvcc stopped over {name}.cu ({status})"),
            Err(e) => {
                panic!("nvcc cannot be run ({e}); `make cuda` brings one along and builds with it")
            }
        }
    }
}
