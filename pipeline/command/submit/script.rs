//! The script that sends parts to an engine.

use super::Engine;
use crate::command::Common;
use crate::studies::sweep::Sweep;
use std::fmt::Write;
use std::path::Path;

/// What a script says.
pub struct Script<'a> {
    pub sweep: &'a Sweep,
    pub common: &'a Common,
    pub file: &'a Path,
    pub out: &'a Path,
    pub data: &'a Path,
    pub program: &'a Path,
    /// The plan's.
    pub folder: &'a Path,
    /// Lines before the program.
    pub setup: &'a str,
    pub parts: usize,
    pub cpus: usize,
    pub scratch: Option<&'a str>,
    pub time: Option<&'a str>,
    pub mem: Option<&'a str>,
    pub partition: Option<&'a str>,
    pub options: &'a [String],
}

/// A word of a shell.
fn quoted(word: impl std::fmt::Display) -> String {
    let word = word.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

impl Script<'_> {
    /// The script for an engine, in bash.
    pub fn text(&self, engine: Engine) -> String {
        let (study, name) = self.sweep.place();
        let mut text = format!(
            "#!/usr/bin/env bash\n# {} networks of {study}/{name} in {} parts.\nset -euo pipefail\nfolder={}\n",
            self.sweep.len(),
            self.parts,
            quoted(self.folder.display())
        );
        text += &match engine {
            Engine::Slurm => self.slurm(),
            Engine::Hyperqueue => self.hyperqueue(),
            Engine::Local => self.local(),
        };
        text
    }

    /// The command of a part, with `number` as the shell has it.
    fn part(&self, number: &str, threads: &str) -> String {
        let id = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let scratch = match self.scratch {
            // The node's shell says what a variable holds.
            Some(folder) if folder.contains('$') && !folder.contains(['"', '`', '\\']) => {
                format!(" --scratch \"{folder}\"")
            }
            Some(folder) => format!(" --scratch {}", quoted(folder)),
            None => String::new(),
        };
        format!(
            "{} run {} --part \"{number}/{}\" --sweep {id} --threads {threads}{scratch}{}",
            quoted(self.program.display()),
            quoted(self.file.display()),
            self.parts,
            self.common()
        )
    }

    fn gather(&self) -> String {
        let (program, file) = (quoted(self.program.display()), quoted(self.file.display()));
        format!("{program} gather {file}{}", self.common())
    }

    /// Options that every command gets.
    fn common(&self) -> String {
        let mut text = format!(" --out {}", quoted(self.out.display()));
        let _ = write!(text, " --data {}", quoted(self.data.display()));
        if self.common.device != "cpu" {
            let _ = write!(text, " --device {}", quoted(&self.common.device));
        }
        if let Some(seed) = self.common.seed {
            let _ = write!(text, " --seed {seed}");
        }
        for set in &self.common.set {
            let _ = write!(text, " --set {}", quoted(set));
        }
        text
    }

    /// Setup lines, closed by a line's end.
    fn setup(&self) -> String {
        match self.setup.trim_end() {
            "" => String::new(),
            lines => format!("{lines}\n"),
        }
    }

    /// Name of the jobs.
    fn job(&self) -> String {
        let (_, name) = self.sweep.place();
        quoted(format!("accrue-{}", name.replace('/', "-")))
    }

    fn slurm(&self) -> String {
        let mut shared = String::new();
        if let Some(partition) = self.partition {
            let _ = write!(shared, " \\\n    --partition={}", quoted(partition));
        }
        for option in self.options {
            let _ = write!(shared, " \\\n    {}", quoted(option));
        }
        let mut own = format!(
            " --array=1-{} --cpus-per-task={} --requeue --open-mode=append",
            self.parts, self.cpus
        );
        for (option, value) in [("time", self.time), ("mem", self.mem)] {
            if let Some(value) = value {
                let _ = write!(own, " --{option}={}", quoted(value));
            }
        }
        let (setup, job) = (self.setup(), self.job());
        let part = self.part("$SLURM_ARRAY_TASK_ID", &self.cpus.to_string());
        let gather = self.gather();
        // A job that was sent may not hold up the one that gathers: hence `afterany`.
        format!(
            "parts=$(sbatch --parsable --job-name={job}{own} \\\n    --output=\"$folder/%a.log\"{shared} <<'PART'\n\
             #!/usr/bin/env bash\n{setup}exec {part}\nPART\n)\n\
             parts=${{parts%%;*}}\necho \"parts: job $parts\"\necho \"$parts\" >\"$folder/job\"\n\
             gather=$(sbatch --parsable --job-name={job}-gather --dependency=afterany:\"$parts\" \\\n    \
             --requeue --open-mode=append --output=\"$folder/gather.log\"{shared} <<'GATHER'\n\
             #!/usr/bin/env bash\n{setup}exec {gather}\nGATHER\n)\n\
             echo \"gather: job ${{gather%%;*}}\"\n"
        )
    }

    fn hyperqueue(&self) -> String {
        let mut own = format!(" --array=1-{} --cpus={}", self.parts, self.cpus);
        if let Some(time) = self.time {
            let _ = write!(own, " --time-limit={}", quoted(time));
        }
        for option in self.options {
            let _ = write!(own, " {}", quoted(option));
        }
        // HyperQueue begins a task's output anew when it is started again; a log goes on.
        let part = quoted(format!(
            "exec >>\"$ACCRUE_PARTS/$HQ_TASK_ID.log\" 2>&1\n{}exec {}",
            self.setup(),
            self.part("$HQ_TASK_ID", &self.cpus.to_string())
        ));
        let gather = quoted(format!("hq job wait \"$1\"\n{}exec {}", self.setup(), self.gather()));
        // Jobs of HyperQueue do not wait for each other: a process here waits for the parts.
        format!(
            "parts=$(hq --output-mode=quiet submit --name={}{own} --stdout=none --stderr=none \\\n    \
             --env ACCRUE_PARTS=\"$folder\" -- bash -c {part})\n\
             echo \"parts: job $parts\"\necho \"$parts\" >\"$folder/job\"\n\
             nohup bash -c {gather} gather \"$parts\" >>\"$folder/gather.log\" 2>&1 </dev/null &\n\
             echo \"gather: process $!\"\n",
            self.job()
        )
    }

    fn local(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let at_once = (cores / self.cpus.max(1)).clamp(1, self.parts);
        let part = quoted(format!(
            "exec >>\"$folder/$1.log\" 2>&1\n{}exec {}",
            self.setup(),
            self.part("$1", &self.cpus.to_string())
        ));
        format!(
            "export folder\nseq 1 {} | xargs -P {at_once} -n 1 bash -c {part} part ||\n    \
             echo \"some parts did not end well: see $folder/*.log\"\n{}{}\n",
            self.parts,
            self.setup(),
            self.gather()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_reach_a_program_as_they_were_given() {
        for word in
            ["plain-1.2/x", "", "a b", "it's", "$HOME", "a\"b", "--set=grid=[(set: \"seed\")]"]
        {
            let output = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
