//! `--device`: the processor, or a card, and the program that was built for it.
//!
//! NVIDIA's libraries are linked when a program is built with the feature `cuda`, so that one does not
//! start where they are missing. `accrue` itself starts everywhere: asked for a card it looks for the
//! libraries, says what is missing, and hands over to `accrue-cuda` beside it.

use crate::Result;
use crate::ops::cuda;

/// Makes `name` the device of this process, or hands over to the program that can.
pub fn choose(name: &str) -> Result<()> {
    #[cfg(not(feature = "cuda"))]
    if name == "cuda" || name.starts_with("cuda:") {
        return Err(launch::hand_over(name));
    }
    cuda::use_device(cuda::device(name)?);
    Ok(())
}

#[cfg(not(feature = "cuda"))]
mod launch {
    use crate::Error;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    /// The program with CUDA, beside this one.
    const OTHER: &str = "accrue-cuda";

    /// What it is linked with, and where each comes from.
    const LIBRARIES: [&str; 6] = [
        "libcuda.so.1",
        "libcudart.so.13",
        "libcublas.so.13",
        "libcublasLt.so.13",
        "libcurand.so.10",
        "libnvrtc.so.13",
    ];

    /// Runs the other program in this one's place; returns only what kept it from that.
    pub fn hand_over(name: &str) -> Error {
        let problem = |what: String| {
            Error::Usage(format!("--device {name}: {what}; `--device cpu` works everywhere"))
        };
        let here = std::env::current_exe().unwrap_or_default();
        let other = here.with_file_name(OTHER);
        if !other.is_file() {
            return problem(format!(
                "this program was built without CUDA and there is no {} beside it; `make cuda` builds \
                 it and brings NVIDIA's compiler along (no root, and no GPU, needed to build)",
                other.display()
            ));
        }
        match libraries(&folders(&here), &LIBRARIES) {
            Ok(path) => problem(format!("{} could not be started ({})", other.display(), start(&other, &path))),
            Err(missing) if missing.contains(&"libcuda.so.1") => problem(
                "libcuda.so.1 was not found: it comes with NVIDIA's driver, and this machine seems to \
                 have no card, or no driver"
                    .into(),
            ),
            Err(missing) => problem(format!(
                "{} not found; install CUDA 13 or `python3 -m pip install nvidia-cublas nvidia-curand \
                 nvidia-cuda-nvrtc nvidia-cuda-runtime`, or name their folder in LD_LIBRARY_PATH",
                missing.join(", ")
            )),
        }
    }

    #[cfg(unix)]
    fn start(other: &Path, path: &str) -> std::io::Error {
        use std::os::unix::process::CommandExt;
        Command::new(other).args(std::env::args_os().skip(1)).env("LD_LIBRARY_PATH", path).exec()
    }

    #[cfg(not(unix))]
    fn start(_: &Path, _: &str) -> std::io::Error {
        std::io::ErrorKind::Unsupported.into()
    }

    /// Where NVIDIA's libraries may lie: where the person says, the system's places, and those inside a
    /// Python environment.
    fn folders(here: &Path) -> Vec<PathBuf> {
        let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let mut all: Vec<PathBuf> = std::env::split_paths(&named).collect();
        all.extend(
            [
                "/usr/local/cuda/lib64",
                "/usr/local/nvidia/lib64",
                "/usr/lib/x86_64-linux-gnu",
                "/usr/lib64",
                "/usr/lib/wsl/lib",
                "/usr/lib",
            ]
            .map(PathBuf::from),
        );
        let code = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
        for python in ["python", "python3"] {
            let Ok(out) = Command::new(python).args(["-c", code]).output() else { continue };
            let packages =
                PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()).join("nvidia");
            let parts = std::fs::read_dir(packages).into_iter().flatten().flatten();
            all.extend(parts.map(|part| part.path().join("lib")));
        }
        // What `make cuda-toolkit` brought.
        all.extend(here.ancestors().map(|a| a.join("cuda-toolkit/lib")));
        all
    }

    /// The folders that hold `libraries`, as a search path; or those that none of them holds.
    fn libraries<'a>(
        folders: &[PathBuf],
        libraries: &[&'a str],
    ) -> std::result::Result<String, Vec<&'a str>> {
        let (mut path, mut missing) = (Vec::<String>::new(), Vec::new());
        for library in libraries {
            match folders.iter().find(|folder| folder.join(library).is_file()) {
                Some(folder) => {
                    let folder = folder.display().to_string();
                    if !path.contains(&folder) {
                        path.push(folder);
                    }
                }
                None => missing.push(*library),
            }
        }
        if missing.is_empty() { Ok(path.join(":")) } else { Err(missing) }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn libraries_are_found_in_the_first_folder_that_has_them() {
            let folder = tempfile::tempdir().unwrap();
            let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
            for (at, name) in
                [(&first, "libx.so.1"), (&second, "libx.so.1"), (&second, "liby.so.2")]
            {
                std::fs::create_dir_all(at).unwrap();
                std::fs::write(at.join(name), "").unwrap();
            }
            let folders = [first.clone(), second.clone()];
            let path = libraries(&folders, &["libx.so.1", "liby.so.2"]).unwrap();
            assert_eq!(path, format!("{}:{}", first.display(), second.display()));
            assert_eq!(libraries(&folders, &["libx.so.1", "libz.so.3"]), Err(vec!["libz.so.3"]));
        }
    }
}
