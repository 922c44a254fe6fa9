//! Posts its second argument to its first and shows the answer as it comes: reqwest, with its own idea of proxies
//! (HTTPS_PROXY) and OpenSSL's of whom to trust (SSL_CERT_FILE).

use std::{env, error::Error, io};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    let mut answer = reqwest::blocking::Client::new()
        .post(&arguments[1])
        .header("content-type", "application/json")
        .body(arguments[2].clone())
        .send()?;
    println!("{} {:?}", answer.status().as_u16(), answer.version());
    io::copy(&mut answer, &mut io::stdout())?;
    Ok(())
}
