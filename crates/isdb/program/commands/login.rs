//! `isdb login`: reads user and password, checks them once, and stores them in the netrc; or checks the stored login.

use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use crate::earthdata::{hosts, machine, netrc_path};
use isdb_cmr::{Account, CredentialKind, Credentials, Earthdata, Login, SecretString, netrc};
use isdb_schema::printable::Printable;

use crate::program::archive::earthdata_session;
use crate::program::cli;
use crate::program::error::CliError;
use crate::program::exit_code::{INTERRUPTED, SUCCESS};
use crate::program::output;

/// Time that the login host may take to respond.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) async fn run(arguments: cli::Login) -> Result<u8, CliError> {
    if arguments.check {
        print_account(&earthdata_session(STALL_TIMEOUT)?.check().await?)?;
        return Ok(SUCCESS);
    }
    let path = netrc_path().ok_or(CliError::NoHome)?;
    let hosts = hosts()?;
    let machine = machine(&hosts);
    let host = machine.clone();
    // On a separate thread, so that Ctrl-C is received meanwhile.
    let login = tokio::task::spawn_blocking(move || read_login(arguments.user, &host)).await;
    let login = match login.map_err(std::io::Error::other).and_then(|login| login) {
        Ok(login) => login,
        // While the password is typed, Ctrl-C is a character.
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            eprintln!("interrupted");
            return Ok(INTERRUPTED);
        }
        Err(error) => return Err(CliError::Stdin(error)),
    };
    let credentials = Credentials { token: None, login: Some(login.clone()) };
    let account = Earthdata::new(credentials, hosts, STALL_TIMEOUT)?.check().await?;
    netrc::store_login(&path, &machine, &login)?;
    print_account(&account)?;
    eprintln!("written: {}", path.display());
    Ok(SUCCESS)
}

/// Reads user and password: from a terminal, which does not show the password, or from lines of standard input.
fn read_login(user: Option<String>, machine: &str) -> std::io::Result<Login> {
    let user = match user {
        Some(user) => user,
        None => {
            eprint!("User of {machine}: ");
            std::io::stderr().flush()?;
            read_line()?
        }
    };
    let password = match std::io::stdin().is_terminal() {
        true => rpassword::prompt_password(format!("Password of {user}: "))?,
        false => read_line()?,
    };
    Ok(Login { user, password: SecretString::from(password), origin: "the input".to_owned() })
}

/// Returns the next line of standard input, which must not be empty.
fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let line = line.trim_end_matches(['\n', '\r']);
    match line.is_empty() {
        true => Err(std::io::Error::new(ErrorKind::UnexpectedEof, "an empty line, or none")),
        false => Ok(line.to_owned()),
    }
}

fn print_account(account: &Account) -> Result<(), CliError> {
    let user = Printable(account.user.as_deref().unwrap_or("a user that the token does not name"));
    let kind = if account.accepted == CredentialKind::Token { "token" } else { "user and password" };
    output::print(&format!("Logged in to Earthdata as {user} ({kind} from {})\n", account.origin))?;
    match account.token_expires {
        Some(expires) => output::print(&format!("token expires at {}\n", expires.format("%Y-%m-%d %H:%M UTC"))),
        None => Ok(()),
    }
}
