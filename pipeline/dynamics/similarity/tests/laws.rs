//! Dynamical similarity: systems whose laws are known.

use super::*;
use crate::similarity::dsa::Embedding;
use crate::similarity::procrustes::Measure;
use crate::similarity::rotation::{Settings, align};
use crate::similarity::{Operator, Trajectories, dsa, dsa_distances, procrustes};

fn operator(trajectories: &Trajectories, embedding: &Embedding) -> Operator {
    Operator::of(trajectories, embedding).unwrap()
}

fn angle(a: &Operator, b: &Operator) -> f64 {
    dsa(a, b, &Settings::default()).unwrap().angular
}

/// A law by its matrix alone.
fn law(matrix: &Matrix) -> Operator {
    Operator {
        name: "law".into(),
        matrix: matrix.clone(),
        input: None,
        rank: matrix.nrows(),
        explained: 1.0,
        predicted: 1.0,
        samples: 100,
        undetermined: 0,
    }
}

/// Trials of `x_t = F(x_{t−1}) + noise`.
fn simulate(
    [trials, steps, dims]: [usize; 3],
    name: &str,
    noise: f64,
    step: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<Matrix> {
    let mut stream = seed::stream(5, name);
    let mut draw = |scale: f64| scale * stream.sample::<f64, _>(StandardNormal);
    (0..trials)
        .map(|_| {
            let mut path = Matrix::zeros(steps, dims);
            let mut state: Vec<f64> = (0..dims).map(|_| draw(1.0)).collect();
            for t in 0..steps {
                path.row_mut(t).iter_mut().zip(&state).for_each(|(to, x)| *to = *x);
                state = step(&state).into_iter().map(|x| x + draw(noise)).collect();
            }
            path
        })
        .collect()
}

fn times(matrix: &Matrix) -> impl Fn(&[f64]) -> Vec<f64> + '_ {
    move |x| (matrix * crate::linalg::Vector::from_column_slice(x)).as_slice().to_vec()
}

/// Sums of states as other units see them.
fn seen(trials: &[Matrix], by: &Matrix) -> Vec<Matrix> {
    trials.iter().map(|t| t * by).collect()
}

/// A random matrix with modes within the unit circle.
fn stable(n: usize, name: &str) -> Matrix {
    let drawn = normal(n, n, name);
    let largest = crate::linalg::eigenvalues(&drawn).unwrap()[0].norm();
    drawn * (0.9 / largest)
}

#[test]
fn rotated_laws_are_the_same_law() {
    for n in [1, 2, 3, 5, 8, 16] {
        for i in 0..6 {
            let a = stable(n, &format!("conjugate {n} {i}"));
            let mut c = random(n, i, "conjugate by");
            if i % 2 == 0 {
                c.column_mut(0).neg_mut();
            }
            let b = c.transpose() * &a * &c;
            let found = dsa(&law(&a), &law(&b), &Settings::default()).unwrap();
            assert!(found.euclidean < 1e-6 && found.angular < 1e-6, "{n} {i}: {found:?}");
            assert!(found.rotation.converged, "{n} {i}: {found:?}");
        }
    }
}

#[test]
fn both_determinants_are_searched() {
    // A rotation to the left is one to the right in a mirror, and no rotation of the plane makes it one.
    let turn = |angle: f64| {
        Matrix::from_row_slice(2, 2, &[angle.cos(), -angle.sin(), angle.sin(), angle.cos()]) * 0.9
    };
    let found = dsa(&law(&turn(0.4)), &law(&turn(-0.4)), &Settings::default()).unwrap();
    assert_eq!(found.rotation.determinant, -1);
    assert!(found.euclidean < 1e-8, "{found:?}");
    // By hand for other angles: cos of the angle between them is cos(θ − θ′).
    let found = dsa(&law(&turn(0.4)), &law(&turn(-0.9)), &Settings::default()).unwrap();
    close(found.angular, 0.5, 1e-9);
    // Not normal, and no mirror: a shear onto a rotated shear.
    let shear = Matrix::from_row_slice(2, 2, &[0.9, 0.5, -0.1, 0.3]);
    let c = turn(1.0) / 0.9;
    let found = dsa(&law(&shear), &law(&(c.transpose() * &shear * &c)), &Settings::default());
    let found = found.unwrap();
    assert!(found.euclidean < 1e-8 && found.rotation.determinant == 1, "{found:?}");
}

#[test]
fn symmetric_laws_differ_by_their_eigenvalues() {
    // Hoffman & Wielandt (1953): √Σ (λ_i − μ_i)² with both in order.
    for i in 0..5 {
        let [a, b] = ["a", "b"].map(|side| {
            let m = normal(7, 7, &format!("symmetric {side} {i}"));
            (&m + m.transpose()) / 8.0
        });
        let values = |m: &Matrix| crate::linalg::symmetric(m).unwrap().0;
        let apart = values(&a).iter().zip(&values(&b)).map(|(l, m)| (l - m).powi(2)).sum::<f64>();
        let found = dsa(&law(&a), &law(&b), &Settings::default()).unwrap();
        close(found.euclidean, apart.sqrt(), 1e-9);
    }
}

#[test]
fn distances_between_laws_are_symmetric_and_obey_the_triangle() {
    let laws: Vec<Operator> = (0..7).map(|i| law(&stable(4, &format!("triangle {i}")))).collect();
    for measure in [Measure::Angular, Measure::Euclidean] {
        let found = dsa_distances(&laws, measure, &Settings::default()).unwrap();
        assert_eq!((found.not_converged, found.padded), (0, 0), "{found:?}");
        let d = found.distances;
        for (i, a) in laws.iter().enumerate() {
            for (j, b) in laws.iter().enumerate() {
                let back = dsa(b, a, &Settings::default()).unwrap();
                // A law and itself included: 0.
                close(d.at(i, j), back.distance(measure), 1e-7);
                for k in 0..7 {
                    assert!(d.at(i, j) <= d.at(i, k) + d.at(k, j) + 1e-7, "{i} {j} {k}: {d:?}");
                }
            }
        }
    }
}

#[test]
fn a_search_without_steps_says_that_it_did_not_converge() {
    let [a, b] = ["a", "b"].map(|side| stable(5, &format!("steps {side}")));
    let full = align(&a, &b, None, &Settings::default()).unwrap();
    assert!(
        full.converged && full.tried == 6 + 2 * Settings::default().starts && full.agreed > 0,
        "{full:?}"
    );
    let short = align(&a, &b, None, &Settings { steps: 0, ..Settings::default() }).unwrap();
    assert!(!short.converged && short.value < full.value, "{short:?}");
    let few = align(&a, &b, None, &Settings { starts: 0, ..Settings::default() }).unwrap();
    assert_eq!(few.tried, 6);
    let loose = Settings { tolerance: 1e-2, ..Settings::default() };
    assert!(align(&a, &b, None, &loose).unwrap().gradient > full.gradient);
    // What is returned is orthogonal, and its value that of the equation.
    let c = &full.matrix;
    assert!((c * c.transpose() - Matrix::identity(5, 5)).norm() < 1e-13);
    close(full.value, a.dot(&(c * &b * c.transpose())), 1e-13);
}

#[test]
fn an_invertible_linear_map_of_the_states_leaves_the_law() {
    let a = stable(4, "mapped law");
    let trials = simulate([20, 60, 4], "mapped law", 0.1, times(&a));
    let mut mapped = seen(&trials, &normal(4, 9, "into nine"));
    mapped.iter_mut().for_each(|t| t.add_scalar_mut(2.0));
    let other = simulate([20, 60, 4], "other law", 0.1, times(&stable(4, "other law")));
    for delays in [1, 3] {
        let embedding = Embedding { delays, rank: Keep::All, ..Embedding::default() };
        let of = |trials: &[Matrix]| {
            operator(&Trajectories::of("linear", trials.to_vec()).unwrap(), &embedding)
        };
        let (plain, mapped, other) = (of(&trials), of(&mapped), of(&other));
        assert_eq!((plain.dimensions(), mapped.dimensions()), (4 * delays, 4 * delays));
        assert!(angle(&plain, &mapped) < 1e-6, "{}", angle(&plain, &mapped));
        assert!(angle(&plain, &other) > 0.1, "{}", angle(&plain, &other));
        // The modes are those of the law, as well as 1,180 steps tell them.
        let largest = |m: &Matrix| crate::linalg::eigenvalues(m).unwrap()[0].norm();
        close(largest(&plain.matrix), largest(&a), 0.05);
    }
}

/// Trials of a map of two numbers, pushed at each step so that their mean follows a plan.
fn pushed(name: &str, first: impl Fn(f64) -> f64) -> Trajectories {
    let (trials, steps, units) = (200, 60, 10);
    let mut stream = seed::stream(5, name);
    let plan = |t: usize| {
        let share = t as f64 / steps as f64;
        [0.6 * share, 0.4 * (std::f64::consts::TAU * share).sin()]
    };
    let mut states = vec![[0.0_f64; 2]; trials];
    let mut paths = vec![Matrix::zeros(steps, 2); trials];
    for t in 0..steps {
        if t > 0 {
            for x in &mut states {
                let noise = [(); 2].map(|_| 0.1 * stream.sample::<f64, _>(StandardNormal));
                *x = [first(x[0]) + noise[0], 0.8 * x[1] + noise[1]];
            }
        }
        for (axis, wanted) in plan(t).into_iter().enumerate() {
            let mean = states.iter().map(|x| x[axis]).sum::<f64>() / trials as f64;
            states.iter_mut().for_each(|x| x[axis] += wanted - mean);
        }
        for (path, x) in paths.iter_mut().zip(&states) {
            (path[(t, 0)], path[(t, 1)]) = (x[0], x[1]);
        }
    }
    let lift = normal(2, units, "lift of pushed systems");
    Trajectories::of(name, seen(&paths, &lift)).unwrap()
}

#[test]
fn attractors_behind_equal_averages_are_told_apart_by_law_and_not_by_shape() {
    type System = (&'static str, fn(f64) -> f64);
    let systems: [System; 3] =
        [("point", |x| 0.6 * x), ("line", |x| x), ("bistable", |x| x + 0.35 * (x - x.powi(3)))];
    let drawn: Vec<(usize, Trajectories)> = (0..3)
        .flat_map(|kind| (0..3).map(move |i| (kind, i)))
        .map(|(kind, i)| (kind, pushed(&format!("{} {i}", systems[kind].0), systems[kind].1)))
        .collect();
    let averages: Vec<Shape> = drawn.iter().map(|(_, t)| shape(&t.average().unwrap())).collect();
    let embedding = Embedding { delays: 4, rank: Keep::Components(8), ..Embedding::default() };
    let laws: Vec<Operator> = drawn.iter().map(|(_, t)| operator(t, &embedding)).collect();
    let found = dsa_distances(&laws, Measure::Angular, &Settings::default()).unwrap();
    let (mut within, mut between) = (0.0_f64, f64::INFINITY);
    for i in 0..drawn.len() {
        for j in 0..i {
            let by_shape = procrustes(&averages[i], &averages[j]).unwrap().angular;
            assert!(by_shape < 1e-6, "{by_shape}");
            let by_law = found.distances.at(i, j);
            match drawn[i].0 == drawn[j].0 {
                true => within = within.max(by_law),
                false => between = between.min(by_law),
            }
        }
    }
    println!("pushed: within {within:.3}, between {between:.3}");
    assert!(between > 3.0 * within, "within {within}, between {between}");
}

/// A state that turns round a ring, `radius` of its angle, seen by ten units.
fn ring(name: &str, deformed: f64) -> Trajectories {
    let mut stream = seed::stream(5, name);
    let one = |_| {
        let mut angle: f64 = stream.random_range(0.0..std::f64::consts::TAU);
        let mut path = Matrix::zeros(80, 2);
        for t in 0..80 {
            let radius = 1.0 + deformed * (2.0 * angle).cos();
            (path[(t, 0)], path[(t, 1)]) = (radius * angle.cos(), radius * angle.sin());
            angle += 0.3 + 0.1 * stream.sample::<f64, _>(StandardNormal);
        }
        path
    };
    let paths: Vec<Matrix> = (0..60).map(one).collect();
    Trajectories::of(name, seen(&paths, &normal(2, 10, "lift of rings"))).unwrap()
}

/// The same, cut open: a state that wanders along a bent line and turns back at its ends.
fn line(name: &str) -> Trajectories {
    let mut stream = seed::stream(5, name);
    let one = |_| {
        let mut at: f64 = stream.random_range(-1.0..1.0);
        let mut path = Matrix::zeros(80, 2);
        for t in 0..80 {
            (path[(t, 0)], path[(t, 1)]) = (at, 0.5 * at * at);
            at += 0.1 * stream.sample::<f64, _>(StandardNormal);
            at = if at.abs() > 1.0 { at.signum() * 2.0 - at } else { at };
        }
        path
    };
    let paths: Vec<Matrix> = (0..60).map(one).collect();
    Trajectories::of(name, seen(&paths, &normal(2, 10, "lift of rings"))).unwrap()
}

#[test]
fn a_deformed_ring_moves_by_the_same_law_and_a_line_does_not() {
    let embedding = Embedding { delays: 3, rank: Keep::Components(2), ..Embedding::default() };
    let of = |t: Trajectories| operator(&t, &embedding);
    let round = of(ring("round", 0.0));
    let again = angle(&round, &of(ring("round again", 0.0)));
    let deformed = [0.1, 0.2, 0.3, 0.4].map(|d| of(ring(&format!("deformed by {d}"), d)));
    let ring_to_ring = deformed.each_ref().map(|d| angle(&round, d));
    let ring_to_line = angle(&round, &of(line("cut")));
    println!("ring again {again:.3}, deformed {ring_to_ring:.3?}, line {ring_to_line:.3}");
    assert!(ring_to_ring.iter().all(|d| *d < 0.05), "{ring_to_ring:?}");
    assert!(ring_to_line > 0.25, "{ring_to_line}");
    // Its shape did change: the same angles, other radii.
    let circle = |deformed: f64| {
        Matrix::from_fn(200, 2, |s, i| {
            let angle = s as f64 / 200.0 * std::f64::consts::TAU;
            let radius = 1.0 + deformed * (2.0 * angle).cos();
            radius * if i == 0 { angle.cos() } else { angle.sin() }
        })
    };
    let by_shape = procrustes(&shape(&circle(0.0)), &shape(&circle(0.4))).unwrap().angular;
    assert!(by_shape > 0.25, "{by_shape}");
}

/// Trials of `h_t = A h_{t−1} + B u_t`, with inputs that last (`keep` of them a step).
fn driven(name: &str, a: &Matrix, b: &Matrix, keep: f64) -> (Trajectories, Trajectories) {
    let mut stream = seed::stream(5, name);
    let (mut paths, mut inputs) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let (mut path, mut input) = (Matrix::zeros(80, a.nrows()), Matrix::zeros(80, b.ncols()));
        let mut state = crate::linalg::Vector::zeros(a.nrows());
        let mut u = crate::linalg::Vector::zeros(b.ncols());
        for t in 0..80 {
            let fresh = (1.0 - keep * keep).sqrt();
            u.iter_mut()
                .for_each(|u| *u = keep * *u + fresh * stream.sample::<f64, _>(StandardNormal));
            state = a * state + b * &u;
            path.set_row(t, &state.transpose());
            input.set_row(t, &u.transpose());
        }
        paths.push(path);
        inputs.push(input);
    }
    (Trajectories::of(name, paths).unwrap(), Trajectories::of(name, inputs).unwrap())
}

#[test]
fn inputs_that_last_are_not_taken_for_the_law() {
    let (a, b) = (stable(4, "driven law") * 0.5, normal(4, 2, "driven inputs"));
    let rank = Keep::All;
    let embedding = Embedding { delays: 1, rank, ..Embedding::default() };
    let (short, lasting) = (driven("short", &a, &b, 0.0), driven("lasting", &a, &b, 0.9));
    let plain = [&short, &lasting].map(|(t, _)| operator(t, &embedding));
    let with = [&short, &lasting].map(|(t, u)| Operator::driven(t, u, &embedding).unwrap());
    // The same modes, whatever the input: those of A.
    let modes = |m: &Matrix| crate::linalg::eigenvalues(m).unwrap();
    for law in &with {
        for (found, expected) in modes(&law.matrix).iter().zip(modes(&a)) {
            assert!((found - expected).norm() < 1e-8, "{found} {expected}");
        }
        assert!(law.predicted > 1.0 - 1e-12 && law.undetermined == 0, "{law:?}");
    }
    let lasting_mode = modes(&plain[1].matrix)[0].norm();
    assert!(lasting_mode > modes(&a)[0].norm() + 0.2, "{lasting_mode}");
}

#[test]
fn the_same_law_with_other_inputs_weights_is_another_one() {
    let (a, b) = (stable(4, "weights law"), normal(4, 2, "weights"));
    let embedding = Embedding { delays: 1, rank: Keep::All, ..Embedding::default() };
    let of = |a: &Matrix, b: &Matrix| {
        let (t, u) = driven("weights", a, b, 0.5);
        Operator::driven(&t, &u, &embedding).unwrap()
    };
    let first = of(&a, &b);
    // Another basis of the same law.
    let c = normal(4, 4, "weights basis");
    let turned = of(&(&c * &a * c.clone().try_inverse().unwrap()), &(&c * &b));
    assert!(angle(&first, &turned) < 1e-6, "{}", angle(&first, &turned));
    let mirrored = of(&a, &(&b * Matrix::from_diagonal(&vec![1.0, -1.0].into())));
    assert!(angle(&first, &mirrored) > 0.05, "{}", angle(&first, &mirrored));
}

#[test]
fn laws_of_different_rank_are_padded_and_it_is_told() {
    let a = Matrix::from_diagonal(&vec![0.9, 0.5].into());
    let b = Matrix::from_diagonal(&vec![0.5, 0.9, 0.3].into());
    let found = dsa(&law(&a), &law(&b), &Settings::default()).unwrap();
    assert_eq!(found.padded, 1);
    close(found.euclidean, 0.3, 1e-9);
    let found = dsa_distances(&[law(&a), law(&b)], Measure::Euclidean, &Settings::default());
    assert_eq!(found.unwrap().padded, 1);
}

#[test]
fn delays_stand_where_the_equation_puts_them() {
    let path = Trajectories::new("count", &(0..12).map(f64::from).collect::<Vec<_>>(), [1, 6, 2]);
    let embedding = Embedding { delays: 2, interval: 3, ..Embedding::default() };
    let found = &embedding.hankel(&path.unwrap()).unwrap()[0];
    assert_eq!(found.shape(), (3, 4));
    assert_eq!(found.row(1).iter().copied().collect::<Vec<_>>(), [2.0, 3.0, 8.0, 9.0]);
}

#[test]
fn every_setting_of_the_embedding_changes_the_law() {
    let trials = simulate([10, 50, 3], "settings", 0.2, times(&stable(3, "settings")));
    let mut shifted = trials.clone();
    shifted.iter_mut().for_each(|t| t.add_scalar_mut(0.5));
    let path = Trajectories::of("settings", shifted).unwrap();
    let plain = Embedding { delays: 2, rank: Keep::Components(3), ..Embedding::default() };
    let first = operator(&path, &plain);
    for other in [
        Embedding { delays: 3, ..plain },
        Embedding { interval: 2, ..plain },
        Embedding { components: Some(2), ..plain },
        Embedding { rank: Keep::Components(2), ..plain },
        Embedding { centre: false, ..plain },
    ] {
        let found = operator(&path, &other);
        assert!(angle(&first, &found) > 1e-3, "{other:?}");
    }
    // f32 rounds, and no more.
    let rows: Vec<f32> = path
        .trials()
        .iter()
        .flat_map(|t| t.transpose().iter().map(|x| *x as f32).collect::<Vec<_>>())
        .collect();
    let single = Trajectories::new("single", &rows, [10, 50, 3]).unwrap();
    assert!(angle(&first, &operator(&single, &plain)) < 1e-4);
}

#[test]
fn trajectories_that_tell_no_law_are_refused() {
    let embedding = Embedding { delays: 5, ..Embedding::default() };
    let says = |t: &Trajectories, e: &Embedding| Operator::of(t, e).unwrap_err().to_string();
    let short = Trajectories::of("short", vec![normal(30, 3, "long"), normal(5, 3, "short")]);
    let error = says(&short.unwrap(), &embedding);
    assert!(error.contains("short, trial 1: 5 steps are too few for 5 delays"), "{error}");
    let still = Trajectories::new("still", &[0.5_f32; 300], [2, 50, 3]).unwrap();
    assert!(says(&still, &embedding).contains("still: its states do not vary"));
    let few = Trajectories::of("few", vec![normal(8, 3, "few")]).unwrap();
    let all = Embedding { delays: 5, rank: Keep::All, ..Embedding::default() };
    assert!(says(&few, &all).contains("3 steps cannot tell a law of rank"), "{}", says(&few, &all));
    for none in [Embedding { delays: 0, ..all }, Embedding { interval: 0, ..all }] {
        assert!(says(&few, &none).contains("at least 1 of each"));
    }
    let mut broken = normal(30, 3, "broken");
    broken[(4, 2)] = f64::NAN;
    let error = Trajectories::of("broken", vec![normal(30, 3, "fine"), broken]).unwrap_err();
    let place = "`broken` is not finite at trial 1, step 4, dimension 2";
    assert!(error.to_string().contains(place), "{error}");
    let widths = vec![normal(30, 3, "three"), normal(30, 2, "two")];
    assert!(Trajectories::of("widths", widths).is_err());
    assert!(Trajectories::new("no trial", &[0.0_f64; 0], [0, 5, 2]).is_err());
    assert!(Trajectories::of("nothing", Vec::new()).is_err());
}

#[test]
fn inputs_that_fit_no_trajectory_are_refused() {
    let embedding = Embedding { delays: 2, ..Embedding::default() };
    let path = |name: &str, steps| {
        Trajectories::of(name, vec![normal(steps, 3, name), normal(steps, 3, name) * 0.5]).unwrap()
    };
    let (states, inputs) = (path("states", 40), path("inputs", 40));
    assert!(Operator::driven(&states, &path("late", 39), &embedding).is_err());
    let held = Trajectories::new("held", &[1.0_f64; 80], [2, 40, 1]).unwrap();
    let error = Operator::driven(&states, &held, &embedding).unwrap_err().to_string();
    assert!(error.contains("inputs never change"), "{error}");
    let apart = Embedding { interval: 2, ..embedding };
    assert!(Operator::driven(&states, &inputs, &apart).is_err());
    let with = Operator::driven(&states, &inputs, &embedding).unwrap();
    let without = operator(&states, &embedding);
    let error = dsa(&with, &without, &Settings::default()).unwrap_err().to_string();
    assert!(error.contains("its law has no inputs"), "{error}");
    // Inputs twice: what they do cannot be told from each other, which is said.
    let twice: Vec<Matrix> = inputs.trials().iter().map(|t| t * normal(3, 4, "twice")).collect();
    let twice = Trajectories::of("twice", twice).unwrap();
    assert_eq!(Operator::driven(&states, &twice, &embedding).unwrap().undetermined, 1);
    let zero = law(&Matrix::zeros(2, 2));
    assert!(dsa(&zero, &zero, &Settings::default()).is_err());
}
