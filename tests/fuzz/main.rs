//! `make fuzz MINUTES=n`: every reader on inputs near good ones, in processes of their own.
//!
//! A child takes a thousand inputs. It may ask for 50 times the bytes of an input and 300 MB: an allocator that counts
//! refuses more, and the child dies; ten seconds an input, and it dies too. The parent knows at which input, keeps it in
//! `target/fuzz/TARGET-NUMBER`, and goes on behind it. The same seed gives the same inputs, on any machine.
//!
//! `fuzz [MINUTES] [--target NAME]… [--seed N] [--only NUMBER]`

mod mutate;
mod targets;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Memory that an input may take: for each of its bytes, and in any case.
const MEMORY: (usize, usize) = (50, 300 << 20);
/// Longest time of one input.
const SECONDS: u64 = 10;
/// Inputs a process.
const INPUTS: u64 = 1000;

/// Counts what is held, and refuses what goes beyond.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn taken(bytes: usize) -> bool {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed);
    if held.saturating_add(bytes) > MOST.load(Ordering::Relaxed) {
        HELD.fetch_sub(bytes, Ordering::Relaxed);
        return false;
    }
    true
}

// SAFETY: all memory is the system's; this only counts, and says no by a null pointer, as an allocator may.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if taken(layout.size()) { unsafe { System.alloc(layout) } } else { std::ptr::null_mut() }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if taken(layout.size()) {
            unsafe { System.alloc_zeroed(layout) }
        } else {
            std::ptr::null_mut()
        }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > layout.size() && !taken(size - layout.size()) {
            return std::ptr::null_mut();
        }
        if size < layout.size() {
            HELD.fetch_sub(layout.size() - size, Ordering::Relaxed);
        }
        unsafe { System.realloc(at, layout, size) }
    }
}

/// The input of that number.
fn input(target: &targets::Target, seeds: &[Vec<u8>], seed: u64, number: u64) -> Vec<u8> {
    let mut draw = StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let good = &seeds[draw.random_range(0..seeds.len())];
    match target.shaped {
        Some(shaped) if draw.random::<bool>() => shaped(good, &mut draw),
        _ => mutate::mutated(good, seeds, target.tokens, &mut draw),
    }
}

/// Reads inputs `from` up to `to`, saying which one is begun and what panicked.
fn child(name: &str, seed: u64, from: u64, to: u64) {
    let target = targets::named(name).expect("the parent names targets");
    let seeds = (target.seeds)();
    let folder =
        tempfile::Builder::new().tempdir_in(shared_memory()).expect("a folder can be made");
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let clock = Instant::now();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let begun = BEGUN.load(Ordering::Relaxed);
            if begun > 0 && clock.elapsed().as_millis() as u64 > begun + 1000 * SECONDS {
                println!("slow");
                std::process::exit(3);
            }
        }
    });
    static PANIC: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let said = info.to_string().lines().skip(1).collect::<Vec<_>>().join(" ");
        *PANIC.lock().unwrap_or_else(|e| e.into_inner()) =
            format!("{} {said}", place.unwrap_or_default());
    }));
    for number in from..to {
        let bytes = input(target, &seeds, seed, number);
        println!("{number}");
        BEGUN.store(clock.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        MOST.store(
            HELD.load(Ordering::Relaxed) + MEMORY.0 * bytes.len() + MEMORY.1,
            Ordering::Relaxed,
        );
        let read = std::panic::AssertUnwindSafe(|| (target.run)(&bytes, folder.path()));
        let done = std::panic::catch_unwind(read);
        MOST.store(usize::MAX, Ordering::Relaxed);
        BEGUN.store(0, Ordering::Relaxed);
        if done.is_err() {
            println!("panic {}", PANIC.lock().unwrap_or_else(|e| e.into_inner()));
        }
    }
    println!("done");
}

fn shared_memory() -> std::path::PathBuf {
    let fast = Path::new("/dev/shm");
    if fast.is_dir() { fast.into() } else { std::env::temp_dir() }
}

/// What became of a target.
#[derive(Default)]
struct Tally {
    inputs: u64,
    panics: u64,
    aborts: u64,
    slow: u64,
    /// Where, how often, and the first input that did.
    places: BTreeMap<String, (u64, u64)>,
}

impl Tally {
    fn found(&mut self, place: String, number: u64, name: &str, seed: u64) {
        let entry = self.places.entry(place).or_insert((0, number));
        entry.0 += 1;
        if entry.0 == 1 {
            let target = targets::named(name).expect("it is one of them");
            let bytes = input(target, &(target.seeds)(), seed, number);
            let folder = Path::new("target/fuzz");
            let _ = std::fs::create_dir_all(folder);
            let _ = std::fs::write(folder.join(format!("{name}-{number}")), bytes);
        }
    }
}

/// One process over some inputs; goes on behind those that end it.
fn batch(name: &str, seed: u64, mut from: u64, to: u64, tally: &mut Tally) {
    while from < to {
        let mut process = Command::new(std::env::current_exe().expect("this program has a file"))
            .args(["--child", name, &seed.to_string(), &from.to_string(), &to.to_string()])
            .env("RAYON_NUM_THREADS", "2")
            .env("POLARS_MAX_THREADS", "2")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process can be started");
        let errors = process.stderr.take().expect("it is piped");
        let errors = std::thread::spawn(move || {
            BufReader::new(errors)
                .lines()
                .map_while(Result::ok)
                .take(2000)
                .last()
                .unwrap_or_default()
        });
        let (mut at, mut ended, mut slow) = (None, false, false);
        for line in BufReader::new(process.stdout.take().expect("it is piped")).lines() {
            let Ok(line) = line else { break };
            if let Ok(number) = line.parse::<u64>() {
                at = Some(number);
                tally.inputs += 1;
            } else if let Some(said) = line.strip_prefix("panic ") {
                tally.panics += 1;
                let place = said.split(' ').next().unwrap_or_default().to_string();
                tally.found(format!("panic {place}"), at.unwrap_or(from), name, seed);
            } else if line == "slow" {
                slow = true;
            } else if line == "done" {
                ended = true;
            }
        }
        let status = process.wait().expect("it was started");
        if ended {
            break;
        }
        let number = at.unwrap_or(from);
        let last = errors.join().unwrap_or_default();
        if slow {
            tally.slow += 1;
            tally.found("slow".into(), number, name, seed);
        } else {
            tally.aborts += 1;
            let last: String = last.chars().filter(|c| !c.is_ascii_digit()).take(80).collect();
            tally.found(format!("abort {status}: {last}"), number, name, seed);
        }
        from = number + 1;
    }
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name, seed, from, to] = &given[..]
        && flag == "--child"
    {
        let number = |text: &String| text.parse().expect("the parent gives numbers");
        return child(name, number(seed), number(from), number(to));
    }
    let (mut minutes, mut seed, mut names, mut only) = (1.0, 1, Vec::new(), None);
    let mut words = given.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--target" => names.extend(words.next().cloned()),
            "--seed" => {
                seed = words.next().and_then(|n| n.parse().ok()).expect("--seed takes a number")
            }
            "--only" => only = words.next().and_then(|n| n.parse::<u64>().ok()),
            other => minutes = other.parse().expect("minutes are a number"),
        }
    }
    if let (Some(number), [name]) = (only, &names[..]) {
        let target = targets::named(name).expect("there is such a target");
        let folder = tempfile::tempdir().expect("a folder can be made");
        return (target.run)(&input(target, &(target.seeds)(), seed, number), folder.path());
    }
    if names.is_empty() {
        names = targets::TARGETS.iter().map(|t| t.name.to_string()).collect();
    }
    let end = Instant::now() + Duration::from_secs_f64(60.0 * minutes);
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut round = 0;
    while Instant::now() < end {
        for name in &names {
            // A figure takes a thousand times as long as a line of settings.
            let inputs = if name == "figures" { INPUTS / 20 } else { INPUTS };
            let tally = tallies.entry(name.clone()).or_default();
            batch(name, seed, round * inputs, (round + 1) * inputs, tally);
            if Instant::now() >= end {
                break;
            }
        }
        round += 1;
    }
    let mut broken = 0;
    println!("{:<12} {:>9} {:>7} {:>7} {:>5}", "target", "inputs", "panics", "aborts", "slow");
    for (name, t) in &tallies {
        println!("{name:<12} {:>9} {:>7} {:>7} {:>5}", t.inputs, t.panics, t.aborts, t.slow);
        for (place, (times, first)) in &t.places {
            println!("    {times} × {place}, first input {first}: target/fuzz/{name}-{first}");
        }
        broken += t.panics + t.aborts + t.slow;
    }
    let _ = std::io::stdout().flush();
    std::process::exit((broken > 0) as i32);
}
