//! Which API a route belongs to, as `selfie_requests_total` labels it.

/// Every API that asks a model. The routes of each end with its name.
const APIS: [&str; 6] = ["embeddings", "classify", "predict", "similarity", "search", "infer"];

/// The API of a route, if a model is asked there.
pub fn of(route: &str) -> Option<&'static str> {
    let end = route.rsplit('/').next();
    APIS.into_iter().find(|api| end == Some(api))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routes_on_which_a_model_is_asked_have_an_api() {
        let cases = [
            ("/v1/embeddings", Some("embeddings")),
            ("/predict", Some("predict")),
            ("/v2/models/{model}/versions/{version}/infer", Some("infer")),
            ("/v2/models/{model}/config", None),
            ("/v2/repository/index", None),
            ("_unknown", None),
        ];
        for (route, expected) in cases {
            assert_eq!(of(route), expected, "{route}");
        }
    }
}
