//! `GET /console`: a page to try the server with: drop an image, see its classes and what is near it in a gallery, a map of the
//! gallery, the model's card and the load. `GET /docs`: the description of the API for people.
//!
//! Both pages are plain HTML, CSS and some modules of script from this binary. They load nothing from elsewhere and ask only the routes
//! that every client has, so they are open where those ask for a key: the console sends the key that its user types.

use super::resource;
use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{self, ServiceConfig};

/// What is allowed to the page: this server's own files and answers, and pictures that its user chose.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, content type and content of each file.
const FILES: [(&str, &str, &str); 11] = [
    ("/console", HTML, include_str!("index.html")),
    ("/docs", HTML, include_str!("api.html")),
    ("/console/api.js", SCRIPT, include_str!("api.js")),
    ("/console/console.css", CSS, include_str!("console.css")),
    ("/console/console.js", SCRIPT, include_str!("console.js")),
    ("/console/gallery.js", SCRIPT, include_str!("gallery.js")),
    ("/console/load.js", SCRIPT, include_str!("load.js")),
    ("/console/map.js", SCRIPT, include_str!("map.js")),
    ("/console/marks.js", SCRIPT, include_str!("marks.js")),
    ("/console/page.js", SCRIPT, include_str!("page.js")),
    ("/console/view.js", SCRIPT, include_str!("view.js")),
];

/// Adds the routes. The root leads to the console.
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
