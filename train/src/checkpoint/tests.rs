use super::*;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use selfie_models::selfie::SelfieConfig;

fn state(step: u64) -> State {
    State {
        step,
        seconds: 1.5,
        window: Window { steps: 1, loss: 0.1, accuracy: 0.2, gradient_norm: 0.3 },
        best: None,
        course: Course::default(),
        recipe: Recipe { name: "test".into(), keep_checkpoints: 2, ..Recipe::default() },
        network: NetworkConfig::Selfie(SelfieConfig::default()),
        data_sha256: "abc".into(),
        files: BTreeMap::new(),
    }
}

fn network() -> Linear {
    number_by_place(LinearConfig::new(3, 2).init(&Device::flex().autodiff()))
}

fn step(network: Linear, optimiser: &mut ModuleOptimizer, input: f64) -> Linear {
    let device = network.weight.device();
    let loss = network.forward(Tensor::<2>::full([1, 3], input, &device)).square().sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    optimiser.step(0.1, network, gradients)
}

fn bits(network: &Linear) -> Vec<u32> {
    let values = network.weight.val().into_data();
    values.iter::<f32>().chain(network.bias.as_ref().unwrap().val().into_data().iter()).map(f32::to_bits).collect()
}

#[test]
fn weights_and_momentum_go_on_where_they_were() {
    let place = tempfile::tempdir().unwrap();
    let (mut trained, mut optimiser) = (network(), optimiser::new(&network(), &Recipe::default()));
    for input in [1.0, -0.5, 0.25] {
        trained = step(trained, &mut optimiser, input);
    }
    save(place.path(), state(3), &trained, &optimiser, None).unwrap();
    let path = latest(place.path()).unwrap().unwrap();
    let saved = read(&path, &state(0), &[]).unwrap();
    assert_eq!(saved.window, state(3).window);
    let Loaded { network: loaded, optimiser: mut loaded_optimiser, .. } = load(&path, &saved, network()).unwrap();
    assert_eq!(bits(&loaded), bits(&trained));
    let (went_on, loaded) = (step(trained, &mut optimiser, 2.0), step(loaded, &mut loaded_optimiser, 2.0));
    assert_eq!(bits(&loaded), bits(&went_on));
}

#[test]
fn the_newest_ones_are_kept_and_unfinished_ones_are_no_checkpoints() {
    let place = tempfile::tempdir().unwrap();
    let (network, optimiser) = (network(), optimiser::new(&network(), &Recipe::default()));
    std::fs::create_dir(place.path().join("tmp-step-00000999")).unwrap();
    for step in [5, 10, 100] {
        save(place.path(), state(step), &network, &optimiser, None).unwrap();
    }
    let names = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let kept: Vec<String> = folder::list(place.path(), PREFIX).unwrap().iter().map(|(_, path)| names(path)).collect();
    assert_eq!(kept, ["step-00000010", "step-00000100"]);
    for step in [110, 125, 150, 175] {
        let mut state = state(step);
        state.recipe.keep_every = 50;
        save(place.path(), state, &network, &optimiser, None).unwrap();
    }
    let kept: Vec<u64> = folder::list(place.path(), PREFIX).unwrap().into_iter().map(|(step, _)| step).collect();
    assert_eq!(kept, [100, 150, 175]);
    assert_eq!(latest(&place.path().join("nowhere")).unwrap(), None);
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_what_differs() {
    let place = tempfile::tempdir().unwrap();
    let network = network();
    save(place.path(), state(5), &network, &optimiser::new(&network, &Recipe::default()), None).unwrap();
    let path = latest(place.path()).unwrap().unwrap();
    type Change = fn(&mut State);
    let cases: [(Change, &str); 5] = [
        (|state| state.recipe.lr = 0.75, "lr was 0.1, now 0.75"),
        (|state| state.recipe.network.patch_size = 4, "network.patch_size was 8, now 4"),
        (|state| state.recipe.augment.flip = true, "augment.flip was false, now true"),
        (
            |state| state.network = NetworkConfig::Selfie(SelfieConfig { patch_size: 4, ..Default::default() }),
            "patch_size: 4",
        ),
        (|state| state.data_sha256 = "def".into(), "was abc, now def"),
    ];
    let mut wrong = Vec::new();
    for (change, expected) in cases {
        let mut other = state(0);
        change(&mut other);
        let message = read(&path, &other, &[]).map(|_| ()).map_err(|error| error.to_string());
        if !message.as_ref().is_err_and(|message| message.contains(expected)) {
            wrong.push(format!("{expected:?}: {message:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut slower = state(0);
    slower.recipe.lr = 0.01;
    assert_eq!(read(&path, &slower, &["lr".to_owned()]).unwrap().step, 5, "a change that is noted");
    let mut free = state(0);
    (free.recipe.log_every, free.recipe.checkpoint_every, free.recipe.workers) = (3, 7, 2);
    assert_eq!(read(&path, &free, &[]).unwrap().step, 5);
}

#[test]
fn a_damaged_checkpoint_is_refused_with_the_file() {
    let place = tempfile::tempdir().unwrap();
    let network = network();
    let optimiser = optimiser::new(&network, &Recipe::default());
    for file in [WEIGHTS_FILE, OPTIMISER_FILE] {
        save(place.path(), state(5), &network, &optimiser, None).unwrap();
        let path = latest(place.path()).unwrap().unwrap();
        let mut bytes = std::fs::read(path.join(file)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(path.join(file), bytes).unwrap();
        let message = read(&path, &state(0), &[]).unwrap_err().to_string();
        assert!(message.contains(file) && message.contains("damaged"), "{message}");
    }
}

#[test]
fn weights_that_are_not_finite_are_not_saved_and_the_earlier_checkpoint_stays() {
    let place = tempfile::tempdir().unwrap();
    let network = network();
    let optimiser = optimiser::new(&network, &Recipe::default());
    save(place.path(), state(5), &network, &optimiser, None).unwrap();
    let mut broken = network.clone();
    broken.weight = broken.weight.map(|weight| weight.mul_scalar(f32::INFINITY));
    let error = save(place.path(), state(6), &broken, &optimiser, None).unwrap_err();
    assert!(matches!(error, Error::NotFinite { step: 6, .. }), "{error}");
    assert_eq!(latest(place.path()).unwrap().unwrap(), place.path().join("step-00000005"));
}

#[test]
fn an_earlier_best_network_goes_when_a_checkpoint_knows_the_later_one() {
    let place = tempfile::tempdir().unwrap();
    let network = network();
    let optimiser = optimiser::new(&network, &Recipe::default());
    let known = |step: u64| Some(Best { step, accuracy: 0.5, loss: 1.0, evaluations_since: 0 });
    for step in [4, 8] {
        best::save(place.path(), step, &network.valid(), None).unwrap();
    }
    save(place.path(), State { best: known(4), ..state(5) }, &network, &optimiser, None).unwrap();
    assert!(place.path().join("best-00000004").exists() && !place.path().join("best-00000008").exists());
    best::save(place.path(), 8, &network.valid(), None).unwrap();
    assert!(place.path().join("best-00000004").exists(), "the checkpoint needs it");
    save(place.path(), State { best: known(8), ..state(10) }, &network, &optimiser, None).unwrap();
    assert!(!place.path().join("best-00000004").exists());
    assert_eq!(bits(&best::load(place.path(), 8, self::network(), None).unwrap().0), bits(&network));
}

#[test]
fn the_newest_one_from_before_the_loss_rose_is_kept_and_gone_back_to() {
    let place = tempfile::tempdir().unwrap();
    let (network, optimiser) = (network(), optimiser::new(&network(), &Recipe::default()));
    let mut course = Course::default();
    for step in 1..=60 {
        course.follow(step, if step <= 20 { 1.0 } else { 50.0 }, 1.0);
        if step % 5 == 0 {
            save(place.path(), State { course: course.clone(), ..state(step) }, &network, &optimiser, None).unwrap();
        }
    }
    let kept =
        || -> Vec<u64> { folder::list(place.path(), PREFIX).unwrap().into_iter().map(|(step, _)| step).collect() };
    // The weights of step 20 gave the first loss that had risen.
    assert_eq!(kept(), [15, 55, 60]);
    assert_eq!(go_back(place.path(), &course).unwrap(), Some(place.path().join("step-00000015")));
    assert_eq!(kept(), [15]);
}
