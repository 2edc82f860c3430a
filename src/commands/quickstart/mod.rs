//! `selfie quickstart`: the whole story, on the bundled sample of Fashion-MNIST or on images of one's own.

mod report;

use super::offline;
use super::serve::serve;
use crate::compile::{Compiled, InputForm, Passes, PrecisionOptions, Request, compile, print};
use crate::memory;
use anyhow::{Context, ensure};
use report::{Gallery, Report};
use selfie_serve::Config;
use selfie_serve::model::{OpenOptions, open};
use selfie_serve::offline::{Job, Names, Shard, Task};
use selfie_train::report::quoted;
use selfie_train::{Options, Recipe, by_stage, data, finetune, pretrain};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name of the model that comes out.
const MODEL: &str = "quickstart";
const SAMPLE: &str = "fashion-mnist-sample";
/// Data sets whose images lie in a folder of files, in which one can search.
const FOLDERS: [&str; 2] = ["images:", "folder:"];

/// Arguments of `selfie quickstart`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Images of your own, such as images:FOLDER or, with a folder for every class, folder:FOLDER; without it a bundled sample of
    /// Fashion-MNIST.
    #[arg(long, value_name = "SPEC")]
    data: Option<String>,
    /// Images of your own with labels to fine-tune on, such as folder:FOLDER; without it those of --data, where they have labels.
    #[arg(long, value_name = "SPEC", requires = "data")]
    labelled: Option<String>,
    /// Part of the labels to fine-tune on, the same part of every class: `20%` or `0.2`. [default: 20% of the sample, all of yours]
    #[arg(long, value_name = "PART", value_parser = crate::options::fraction)]
    labels: Option<f64>,
    /// A setting on top of the recipes, as in `images.size=96`; `pretrain.` or `finetune.` before it gives it to one stage, as in
    /// `pretrain.steps=5000`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Leave damaged images out and count them, instead of ending with an error.
    #[arg(long)]
    skip_damaged: bool,
    /// Folder for runs, plots, model store and summary; an interrupted quickstart goes on in it. [default: selfie-quickstart, or
    /// selfie-own with --data]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// End when the model is compiled and verified.
    #[arg(long)]
    no_serve: bool,
    /// Port to serve on; 0 takes a free one.
    #[arg(long, default_value_t = 8000, value_name = "PORT")]
    port: u16,
    /// Where to train: cpu, or vulkan, cuda, metal, wgpu where built in, with :N for one of several.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: String,
    /// Seed of weights, data order, masks and dropout.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

/// What there is to do.
struct Plan<'a> {
    /// Data set to pretrain on.
    images: &'a str,
    /// Data set with labels to fine-tune on.
    labelled: Option<&'a str>,
    /// Whether a twin that was not pretrained is trained beside.
    compares: bool,
    /// Folder of image files to search among.
    folder: Option<&'a Path>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let started = Instant::now();
        let own = self.data.is_some();
        let dir = self.dir.clone().unwrap_or_else(|| if own { "selfie-own" } else { "selfie-quickstart" }.into());
        let plan = self.plan(&dir)?;
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let mut heading = Heading { stage: 0, stages: plan.stages() };

        heading.show("Pretrain with Selfie, without labels: which patch belongs in which hole?");
        let pretrained = pretrain::run(&self.options(&dir, "pretrain", plan.images, None))?;
        let (mut finetuned, mut scratch) = (None, None);
        if let Some(labelled) = plan.labelled {
            heading.show(&match self.labels {
                Some(part) => format!("Fine-tune on {} % of the labels", part * 100.0),
                None if own => "Fine-tune on the labels".to_owned(),
                None => "Fine-tune on a fifth of the labels".to_owned(),
            });
            let init = Some(pretrained.run.clone());
            finetuned = Some(finetune::run(&self.options(&dir, "finetune", labelled, init))?);
            if plan.compares {
                heading.show("Train the same network from scratch, on the same labels");
                scratch = Some(finetune::run(&self.options(&dir, "from-scratch", labelled, None))?);
            }
        }

        heading.show("Compile the network to ONNX and compare with Burn");
        let store = dir.join("store");
        let compiled = compile(&request(&finetuned.as_ref().unwrap_or(&pretrained).run, &store))?;
        print(&compiled.rows);

        let mut gallery = None;
        if let Some(folder) = plan.folder {
            heading.show("Embed the images, to search among them");
            gallery = Some(self.gallery(&dir, folder, &compiled)?);
        }

        let report = Report {
            data: plan.images.to_owned(),
            labelled: plan.labelled.map(str::to_owned),
            seed: self.seed,
            pretrain: pretrained,
            finetune: finetuned,
            from_scratch: scratch,
            model: compiled.into(),
            gallery,
            seconds: started.elapsed().as_secs_f64(),
            peak_memory_bytes: memory::peak_bytes(),
        };
        report.write(&dir.join("summary.json"))?;
        report.print();
        println!("runs, their reports and summary: {}", dir.display());
        let galleries: Vec<PathBuf> = report.gallery.into_iter().map(|gallery| gallery.file).collect();
        let sample = if own { None } else { Some(sample(&dir)?) };
        if self.no_serve {
            let searched = galleries.iter().map(|file| format!(" --gallery {}", typed(file))).collect::<String>();
            println!("serve it: selfie serve --models {}{searched}", typed(&store));
            return Ok(());
        }
        heading.show("Serve");
        lines(self.port, sample.as_deref(), &plan);
        serve(Config { models: store, gallery: galleries, port: self.port, ..Config::default() })
    }

    /// Finds out what there is to do, and what would stop it half-way.
    fn plan(&self, dir: &Path) -> anyhow::Result<Plan<'_>> {
        let images = self.data.as_deref().unwrap_or(SAMPLE);
        let Options { recipe, set, .. } = self.options(dir, "finetune", images, None);
        let reading = Recipe::open(&recipe)?.set(&set)?.images;
        let labelled = match self.labelled.as_deref() {
            Some(labelled) => {
                let reason = "has no labels; a folder for every class is folder:FOLDER";
                ensure!(data::is_labelled(labelled, &reading)?, "{labelled} {reason}");
                Some(labelled)
            }
            None => data::is_labelled(images, &reading)?.then_some(images),
        };
        ensure!(
            labelled.is_some() || self.labels.is_none(),
            "--labels is a part of the labels, and {images} has none; name a set that has some with --labelled"
        );
        let folder = FOLDERS.iter().find_map(|prefix| images.strip_prefix(prefix)).map(Path::new);
        Ok(Plan { images, labelled, compares: self.data.is_none(), folder })
    }

    /// A run of the recipe for the sample, or of that for images of one's own.
    fn options(&self, dir: &Path, run: &str, images: &str, init: Option<PathBuf>) -> Options {
        let out = dir.join("runs").join(run);
        let [of_pretraining, of_fine_tuning] = by_stage(&self.set);
        let (stage, set) = if run == "pretrain" { (run, of_pretraining) } else { ("finetune", of_fine_tuning) };
        let recipe = format!("{}-{stage}", if self.data.is_some() { "photos" } else { "quickstart" });
        Options {
            set,
            data: self.data.is_some().then(|| images.to_owned()),
            init,
            labels: self.labels.filter(|_| stage == "finetune"),
            seed: Some(self.seed),
            device: self.device.clone(),
            skip_damaged: self.skip_damaged,
            resume: out.exists(),
            ..Options::new(recipe, out)
        }
    }

    /// The vectors of the images, by the compiled model.
    fn gallery(&self, dir: &Path, folder: &Path, compiled: &Compiled) -> anyhow::Result<Gallery> {
        let version = compiled.path.parent().and_then(Path::file_name).unwrap_or_default();
        let file = dir.join(format!("gallery-{}.parquet", version.display()));
        let model = open(&compiled.path, &OpenOptions::default())?;
        let job = Job {
            inputs: vec![folder.to_owned()],
            out: file.clone(),
            task: Task::Embed,
            shard: Shard::default(),
            names: Names::default(),
            batch_size: Config::default().max_batch_size,
            skip_damaged: self.skip_damaged,
            thumbnails: true,
        };
        let report = offline::carry_out(&model, &job)?;
        Ok(Gallery { file, images: report.images })
    }
}

impl Plan<'_> {
    /// Pretraining, compiling and serving, and what comes between.
    fn stages(&self) -> usize {
        3 + [self.labelled.is_some(), self.compares, self.folder.is_some()].into_iter().filter(|stage| *stage).count()
    }
}

/// The lines between the stages.
struct Heading {
    stage: usize,
    stages: usize,
}

impl Heading {
    fn show(&mut self, text: &str) {
        self.stage += 1;
        println!("\n{}/{}  {text}", self.stage, self.stages);
    }
}

fn request<'a>(source: &'a Path, out: &'a Path) -> Request<'a> {
    Request {
        source,
        out,
        name: Some(MODEL),
        opset: None,
        batch: None,
        input: InputForm::F32,
        external_data: false,
        precision: PrecisionOptions::default(),
        passes: Passes::default(),
    }
}

/// Writes a test image of the sample as PNG, for the lines to try.
fn sample(dir: &Path) -> anyhow::Result<PathBuf> {
    let dataset = data::open(SAMPLE)?;
    let (width, height) = (u32::try_from(dataset.width)?, u32::try_from(dataset.height)?);
    let picture = image::GrayImage::from_raw(width, height, dataset.test.image(0)?.into_owned());
    let path = dir.join("sample.png");
    picture.context("the first test image has another size")?.save(&path)?;
    Ok(path)
}

/// A path as one types it.
fn typed(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// What to type next.
fn lines(port: u16, sample: Option<&Path>, plan: &Plan) {
    let address = format!("http://127.0.0.1:{port}");
    let (picture, kind) = sample.map_or(("photo.jpg".into(), "jpeg"), |sample| (typed(sample), "png"));
    let body =
        |path: &str| format!("curl -H 'content-type: image/{kind}' --data-binary @{picture} '{address}{path}'\n");
    let classify = if plan.labelled.is_some() { body(&format!("/v1/classify?model={MODEL}")) } else { String::new() };
    let search = if plan.folder.is_some() { body("/v1/search?k=5") } else { String::new() };
    println!(
        "Try, from another terminal; any JPEG, PNG, WebP or BMP does:\n\
         curl {address}/v1/models\n{classify}{search}\
         curl -F model={MODEL} -F images=@{picture} {address}/v1/embeddings\n\
         or open {address} in a browser\n"
    );
}
