//! The images by which the best step is found. They are never those of the test split.

use crate::Recipe;
use crate::data::{Dataset, Split, take_out};

/// The images that are trained on, and those by which the best step is found, if one is looked for.
///
/// # Errors
/// There are no validation images and the recipe takes none out of training.
pub(crate) fn divide(
    recipe: &Recipe,
    dataset: &Dataset,
    indices: Vec<usize>,
) -> Result<(Vec<usize>, Option<Split>), String> {
    if recipe.patience == 0 {
        return Ok((indices, None));
    }
    if recipe.validation_fraction == 0.0 {
        return match dataset.validation.is_empty() {
            false => Ok((indices, Some(dataset.validation.clone()))),
            true => Err(format!(
                "patience is {}, but {} has no validation images; set validation_fraction to take a part of the training \
                 images for them",
                recipe.patience, dataset.name
            )),
        };
    }
    let labels: Vec<u32> = indices.iter().map(|&index| dataset.train.labels[index]).collect();
    let (stay, taken) = take_out(&labels, recipe.validation_fraction, recipe.seed);
    if taken.is_empty() {
        return Err(format!(
            "validation_fraction takes no image out of {}, since no class has two; set label_fraction higher",
            indices.len()
        ));
    }
    let at = |places: Vec<usize>| places.into_iter().map(|place| indices[place]).collect::<Vec<_>>();
    let taken = at(taken);
    Ok((at(stay), Some(dataset.train.select(&taken))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::batch::tests::tiny;

    #[test]
    fn validation_images_are_taken_out_of_training_and_keep_their_pixels_and_labels() {
        let dataset = tiny(30);
        let recipe = Recipe { patience: 3, validation_fraction: 0.3, ..Recipe::default() };
        let (stay, validation) = divide(&recipe, &dataset, (0..20).collect()).unwrap();
        let validation = validation.unwrap();
        assert_eq!((stay.len(), validation.len()), (14, 6));
        let taken: Vec<usize> = (0..20).filter(|index| !stay.contains(index)).collect();
        for (place, index) in taken.into_iter().enumerate() {
            assert_eq!(validation.labels[place], dataset.train.labels[index]);
            assert_eq!(validation.image(place).unwrap(), dataset.train.image(index).unwrap());
        }
    }

    #[test]
    fn without_validation_images_a_search_for_the_best_step_is_refused_and_no_search_needs_none() {
        let dataset = tiny(6);
        let recipe = Recipe { patience: 3, ..Recipe::default() };
        assert!(divide(&recipe, &dataset, vec![0, 1]).unwrap_err().contains("validation_fraction"));
        let (indices, validation) = divide(&Recipe::default(), &dataset, vec![0, 1]).unwrap();
        assert!(indices == [0, 1] && validation.is_none());
        let scarce = Recipe { validation_fraction: 0.5, ..recipe };
        assert!(divide(&scarce, &dataset, vec![0, 1]).unwrap_err().contains("no class has two"));
    }
}
