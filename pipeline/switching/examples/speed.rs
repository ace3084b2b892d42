use accrue_switching::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (n, batch, steps): (usize, usize, usize) =
        (a[1].parse().unwrap(), a[2].parse().unwrap(), a[3].parse().unwrap());
    let joint = a.len() < 5;
    let shape = Shape {
        kind: CellKind::Gru,
        units: n,
        inputs: 6,
        outputs: 3,
        layers: 2,
        activation: Activation::Tanh,
    };
    let p = initial::parameters(&shape, &Default::default(), 1);
    let x: Vec<f32> = (0..25 * 6).map(|i| (i % 3) as f32).collect();
    let y = vec![1.0; 75];
    let m = vec![1.0; 25];
    let seqs: Vec<Sequence> = (0..batch)
        .map(|_| Sequence {
            inputs: &x,
            expansion_input: &[0.0; 6],
            target: Target::Steps { values: &y, mask: &m },
        })
        .collect();
    let losses = if joint { Losses::default() } else { Losses::default().alone() };
    for _ in 0..2 {
        gradient(&shape, &p, &losses, &seqs, false).unwrap();
    }
    let t = std::time::Instant::now();
    for _ in 0..steps {
        gradient(&shape, &p, &losses, &seqs, false).unwrap();
    }
    println!("{:.2} steps/s", steps as f64 / t.elapsed().as_secs_f64());
}
