//! `GET /console`: a page to try the server with: drop an image, see its classes, the model's card and the load.
//!
//! The page is plain HTML, CSS and one script from this binary. It loads nothing from elsewhere and asks only the routes that
//! every client has, so it is open where those ask for a key: it sends the key that its user types.

use super::resource;
use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{self, ServiceConfig};

/// What is allowed to the page: this server's own files and answers, and pictures that its user chose.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Path, content type and content of each file.
const FILES: [(&str, &str, &str); 3] = [
    ("/console", "text/html; charset=utf-8", include_str!("index.html")),
    ("/console/console.css", "text/css; charset=utf-8", include_str!("console.css")),
    ("/console/console.js", "text/javascript; charset=utf-8", include_str!("console.js")),
];

/// Adds the routes. The root leads to the page.
pub fn configure(config: &mut ServiceConfig) {
    for (path, kind, content) in FILES {
        let file = move || async move {
            HttpResponse::Ok()
                .content_type(kind)
                .insert_header((CONTENT_SECURITY_POLICY, POLICY))
                .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .body(content)
        };
        config.service(resource(path, "GET").route(web::get().to(file)));
    }
    let to_console = || async { HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/console")).finish() };
    config.service(resource("/", "GET").route(web::get().to(to_console)));
}
