//! Models with weights of each site: both implementations, and sites that a model was not trained with.

use efflux_data::Tensors;
use efflux_job::{Backend, Head, Params, State, Training};
use efflux_model::checkpoint::{load_weights, save_weights};
use efflux_model::device::Device;
use efflux_model::{Days, Flow, PIECE, Trained, Trainer, predict};

use super::{PARAMS, site_rules, tensors};

const SITE: Params = Params {
    head: Head::Site,
    skip: true,
    state_dropout: 0.1,
    forget_bias: Some(3.0),
    ..PARAMS
};

fn trained(tensors: &Tensors, params: &Params, backend: Backend) -> Trained {
    let training = Training {
        backend,
        ..site_rules()
    };
    let trainer = Trainer::new(tensors, params, &training, 7, Device::Cpu).unwrap();
    trainer.run(&mut |_| Flow::Continue).unwrap()
}

#[test]
fn a_native_training_with_weights_of_each_site_follows_that_of_libtorch() {
    let tensors = tensors();
    for params in [
        SITE,
        Params {
            skip: false,
            dropout: 0.0,
            site_penalty: 20.0,
            ..SITE
        },
    ] {
        let [torch, native] =
            [Backend::Torch, Backend::Native].map(|backend| trained(&tensors, &params, backend));
        assert_eq!(native.updates, 45);
        assert_eq!(native.window_share.to_bits(), torch.window_share.to_bits());
        for (a, b) in native.losses.iter().zip(&torch.losses) {
            assert!(
                (a - b).abs() < 1e-4 * b,
                "{:?}, {:?}",
                native.losses,
                torch.losses
            );
        }
        for state in [State::Carried, State::Window] {
            let [a, b] = [&native, &torch].map(|trained| {
                let simulated =
                    trained.simulate(&tensors, Days::All, state, 25, &mut || Flow::Continue);
                simulated.unwrap()
            });
            let apart = a
                .iter()
                .zip(&b)
                .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(apart < 1e-3, "{params:?}, {state:?}: {apart}");
        }
    }
}

#[test]
fn a_site_that_a_model_was_not_trained_with_has_the_common_weights_alone() {
    let tensors = tensors();
    let trained = trained(&tensors, &SITE, Backend::Native);
    let simulate = |heads: Vec<Option<usize>>| {
        let there = Tensors {
            heads,
            ..tensors.clone()
        };
        let state = State::Carried;
        let all = trained.simulate(&there, Days::All, state, 25, &mut || Flow::Continue);
        all.unwrap()
    };
    let days = tensors.days;
    let own = simulate((0..tensors.sites).map(Some).collect());
    let mut heads: Vec<Option<usize>> = (0..tensors.sites).map(Some).collect();
    heads[1] = None;
    let without = simulate(heads);
    assert_eq!(own[..days], without[..days]);
    assert_ne!(own[days..2 * days], without[days..2 * days]);
    // Site 5 has no target, so the penalty keeps its weights at zero.
    let none = simulate(vec![None; tensors.sites]);
    assert_eq!(own[5 * days..], none[5 * days..]);
}

#[test]
fn a_model_of_other_sites_has_its_own_common_weights_and_their_rows() {
    let tensors = tensors();
    for params in [
        SITE,
        Params {
            skip: false,
            ..SITE
        },
    ] {
        for backend in [Backend::Native, Backend::Torch] {
            let trained = trained(&tensors, &params, backend);
            let rows = trained.model.site_rows();
            let width = trained.model.shape().site_weights();
            assert_eq!(rows.len(), tensors.sites);
            assert!(rows.iter().all(|row| row.len() as i64 == width));
            assert!(rows[5].iter().all(|weight| *weight == 0.0));
            let simulate = |trained: &Trained, tensors: &Tensors, days| {
                let state = State::Window;
                let simulated = trained.simulate(tensors, days, state, 25, &mut || Flow::Continue);
                simulated.unwrap()
            };
            // Two of the sites with their own rows, and a third with those of another.
            let others = trained
                .model
                .of_sites(&[&rows[1..=1], &rows[3..5]].concat());
            let others = trained.with_model(others);
            let few = tensors.of_sites(&[1, 3, 2]);
            let found = simulate(&others, &few, Days::All);
            let own = simulate(&trained, &tensors, Days::All);
            let of = |all: &[f32], site: usize| all[site * tensors.days..][..tensors.days].to_vec();
            for (at, site) in [(0, 1), (1, 3)] {
                let apart = of(&found, at)
                    .into_iter()
                    .zip(of(&own, site))
                    .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
                assert!(apart < 1e-5, "{apart}");
            }
            let like = Tensors {
                heads: vec![None, None, Some(4), None, None, None],
                ..tensors.clone()
            };
            let like = of(&simulate(&trained, &like, Days::All), 2);
            for (a, b) in of(&found, 2).into_iter().zip(like) {
                assert!((a - b).abs() < 1e-5);
            }
            let observed = simulate(&others, &few, Days::Observed).len();
            let counted = (0..3).map(|site| Days::Observed.of_site(&few, site));
            assert_eq!(observed, counted.sum::<usize>());
        }
    }
}

#[test]
fn weights_of_each_site_come_back_from_their_file() {
    let tensors = tensors();
    let trained = trained(&tensors, &SITE, Backend::Native);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    save_weights(&trained.model, &path).unwrap();
    let read = load_weights(&path).unwrap();
    assert_eq!(read.shape(), trained.model.shape());
    let [a, b] = [&trained.model, &read].map(|model| predict(model, &tensors, PIECE).unwrap());
    assert_eq!(a, b);
}
