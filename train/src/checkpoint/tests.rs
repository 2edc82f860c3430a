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
    let folder = tempfile::tempdir().unwrap();
    let (mut trained, mut optimiser) = (network(), optimiser::new(&network(), 0.9, 1e-4));
    for input in [1.0, -0.5, 0.25] {
        trained = step(trained, &mut optimiser, input);
    }
    save(folder.path(), state(3), &trained, &optimiser).unwrap();
    let path = latest(folder.path()).unwrap().unwrap();
    let saved = read(&path, &state(0)).unwrap();
    assert_eq!(saved.window, state(3).window);
    let (loaded, mut loaded_optimiser) = load(&path, &saved, network()).unwrap();
    assert_eq!(bits(&loaded), bits(&trained));
    let (went_on, loaded) = (step(trained, &mut optimiser, 2.0), step(loaded, &mut loaded_optimiser, 2.0));
    assert_eq!(bits(&loaded), bits(&went_on));
}

#[test]
fn the_newest_ones_are_kept_and_unfinished_ones_are_no_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let (network, optimiser) = (network(), optimiser::new(&network(), 0.9, 0.0));
    std::fs::create_dir(folder.path().join("tmp-step-00000999")).unwrap();
    for step in [5, 10, 100] {
        save(folder.path(), state(step), &network, &optimiser).unwrap();
    }
    let names = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let kept: Vec<String> = list(folder.path()).unwrap().iter().map(names).collect();
    assert_eq!(kept, ["step-00000010", "step-00000100"]);
    assert_eq!(latest(&folder.path().join("nowhere")).unwrap(), None);
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let network = network();
    save(folder.path(), state(5), &network, &optimiser::new(&network, 0.9, 0.0)).unwrap();
    let path = latest(folder.path()).unwrap().unwrap();
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
        let message = read(&path, &other).map(|_| ()).map_err(|error| error.to_string());
        if !message.as_ref().is_err_and(|message| message.contains(expected)) {
            wrong.push(format!("{expected:?}: {message:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut free = state(0);
    (free.recipe.log_every, free.recipe.checkpoint_every, free.recipe.workers) = (3, 7, 2);
    assert_eq!(read(&path, &free).unwrap().step, 5);
}

#[test]
fn a_damaged_checkpoint_is_refused_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let network = network();
    let optimiser = optimiser::new(&network, 0.9, 0.0);
    for file in [WEIGHTS_FILE, OPTIMISER_FILE] {
        save(folder.path(), state(5), &network, &optimiser).unwrap();
        let path = latest(folder.path()).unwrap().unwrap();
        let mut bytes = std::fs::read(path.join(file)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(path.join(file), bytes).unwrap();
        let message = read(&path, &state(0)).unwrap_err().to_string();
        assert!(message.contains(file) && message.contains("damaged"), "{message}");
    }
}
