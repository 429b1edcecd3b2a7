//! `isdb login`: asks for user and password, tries them once, and keeps them in the netrc; or only tries what is there.

use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use isdb_cmr::{Account, CredentialKind, Credentials, Earthdata, Login, SecretString, netrc};
use isdb_schema::printable::Printable;

use crate::cli;
use crate::earthdata::{hosts, machine, netrc_path, session};
use crate::failure::{Failure, INTERRUPTED, SUCCESS};
use crate::output;

/// How long the login host may stay silent.
const STALL: Duration = Duration::from_secs(60);

pub(crate) async fn run(arguments: cli::Login) -> Result<u8, Failure> {
    if arguments.check {
        tell(&session(STALL)?.check().await?)?;
        return Ok(SUCCESS);
    }
    let path = netrc_path().ok_or(Failure::NoHome)?;
    let hosts = hosts()?;
    let machine = machine(&hosts);
    let asked = machine.clone();
    // On a thread of its own, so that Ctrl-C is heard meanwhile.
    let answer = tokio::task::spawn_blocking(move || ask(arguments.user, &asked)).await;
    let login = match answer.map_err(std::io::Error::other).and_then(|answer| answer) {
        Ok(login) => login,
        // Where the password is typed, Ctrl-C is a character.
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            eprintln!("interrupted");
            return Ok(INTERRUPTED);
        }
        Err(error) => return Err(Failure::Stdin(error)),
    };
    let credentials = Credentials { token: None, login: Some(login.clone()) };
    let account = Earthdata::new(credentials, hosts, STALL)?.check().await?;
    netrc::store_login(&path, &machine, &login)?;
    tell(&account)?;
    eprintln!("written: {}", path.display());
    Ok(SUCCESS)
}

/// User and password: from a terminal, where the password is not shown, or the lines of standard input.
fn ask(user: Option<String>, machine: &str) -> std::io::Result<Login> {
    let user = match user {
        Some(user) => user,
        None => {
            eprint!("User of {machine}: ");
            std::io::stderr().flush()?;
            line()?
        }
    };
    let password = match std::io::stdin().is_terminal() {
        true => rpassword::prompt_password(format!("Password of {user}: "))?,
        false => line()?,
    };
    Ok(Login { user, password: SecretString::from(password), origin: "what was typed".to_owned() })
}

/// The next line of standard input, which must hold something.
fn line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let line = line.trim_end_matches(['\n', '\r']);
    match line.is_empty() {
        true => Err(std::io::Error::new(ErrorKind::UnexpectedEof, "an empty line, or none")),
        false => Ok(line.to_owned()),
    }
}

fn tell(account: &Account) -> Result<(), Failure> {
    let user = Printable(account.user.as_deref().unwrap_or("a user that the token does not name"));
    let what = if account.accepted == CredentialKind::Token { "token" } else { "user and password" };
    output::print(&format!("Earthdata knows {user}, by the {what} from {}\n", account.origin))?;
    match account.token_expires {
        Some(expires) => output::print(&format!("token good until {}\n", expires.format("%Y-%m-%d %H:%M UTC"))),
        None => Ok(()),
    }
}
