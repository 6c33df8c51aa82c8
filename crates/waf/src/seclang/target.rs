//! The variables of SecLang and how a rule selects among them.

macro_rules! variables {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident; )*) => {
        /// A variable or collection of SecLang.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Variable { $( $(#[$doc])* #[doc = $name] $variant, )* }
        impl Variable {
            /// Every variable, in the order of its discriminant.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )*];
            /// The name in SecLang.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $( Self::$variant => $name, )* } }
            /// Whether it holds named members and takes a selector.
            #[must_use]
            pub fn is_collection(self) -> bool { match self { $( Self::$variant => kind!($kind), )* } }
            /// Finds a variable by its name, in any case.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                $( if name.eq_ignore_ascii_case($name) { return Some(Self::$variant); } )*
                None
            }
        }
    };
}
macro_rules! kind {
    (many) => {
        true
    };
    (one) => {
        false
    };
}

variables! {
    Args = "ARGS", many;
    ArgsCombinedSize = "ARGS_COMBINED_SIZE", one;
    ArgsGet = "ARGS_GET", many;
    ArgsGetNames = "ARGS_GET_NAMES", many;
    ArgsNames = "ARGS_NAMES", many;
    ArgsPost = "ARGS_POST", many;
    ArgsPostNames = "ARGS_POST_NAMES", many;
    AuthType = "AUTH_TYPE", one;
    Duration = "DURATION", one;
    Files = "FILES", many;
    FilesCombinedSize = "FILES_COMBINED_SIZE", one;
    FilesNames = "FILES_NAMES", many;
    FilesSizes = "FILES_SIZES", many;
    Geo = "GEO", many;
    Global = "GLOBAL", many;
    InboundDataError = "INBOUND_DATA_ERROR", one;
    Ip = "IP", many;
    MatchedVar = "MATCHED_VAR", one;
    MatchedVarName = "MATCHED_VAR_NAME", one;
    MatchedVars = "MATCHED_VARS", many;
    MatchedVarsNames = "MATCHED_VARS_NAMES", many;
    MultipartBoundaryQuoted = "MULTIPART_BOUNDARY_QUOTED", one;
    MultipartBoundaryWhitespace = "MULTIPART_BOUNDARY_WHITESPACE", one;
    MultipartCrlfLfLines = "MULTIPART_CRLF_LF_LINES", one;
    MultipartDataAfter = "MULTIPART_DATA_AFTER", one;
    MultipartDataBefore = "MULTIPART_DATA_BEFORE", one;
    MultipartFilename = "MULTIPART_FILENAME", many;
    MultipartFileLimitExceeded = "MULTIPART_FILE_LIMIT_EXCEEDED", one;
    MultipartHeaderFolding = "MULTIPART_HEADER_FOLDING", one;
    MultipartInvalidHeaderFolding = "MULTIPART_INVALID_HEADER_FOLDING", one;
    MultipartInvalidPart = "MULTIPART_INVALID_PART", one;
    MultipartInvalidQuoting = "MULTIPART_INVALID_QUOTING", one;
    MultipartLfLine = "MULTIPART_LF_LINE", one;
    MultipartMissingSemicolon = "MULTIPART_MISSING_SEMICOLON", one;
    MultipartName = "MULTIPART_NAME", many;
    MultipartPartHeaders = "MULTIPART_PART_HEADERS", many;
    MultipartStrictError = "MULTIPART_STRICT_ERROR", one;
    MultipartUnmatchedBoundary = "MULTIPART_UNMATCHED_BOUNDARY", one;
    OutboundDataError = "OUTBOUND_DATA_ERROR", one;
    PathInfo = "PATH_INFO", one;
    QueryString = "QUERY_STRING", one;
    RemoteAddr = "REMOTE_ADDR", one;
    RemoteHost = "REMOTE_HOST", one;
    RemotePort = "REMOTE_PORT", one;
    ReqbodyError = "REQBODY_ERROR", one;
    ReqbodyErrorMsg = "REQBODY_ERROR_MSG", one;
    ReqbodyProcessor = "REQBODY_PROCESSOR", one;
    ReqbodyProcessorError = "REQBODY_PROCESSOR_ERROR", one;
    RequestBasename = "REQUEST_BASENAME", one;
    RequestBody = "REQUEST_BODY", one;
    RequestBodyLength = "REQUEST_BODY_LENGTH", one;
    RequestCookies = "REQUEST_COOKIES", many;
    RequestCookiesNames = "REQUEST_COOKIES_NAMES", many;
    RequestFilename = "REQUEST_FILENAME", one;
    RequestHeaders = "REQUEST_HEADERS", many;
    RequestHeadersNames = "REQUEST_HEADERS_NAMES", many;
    RequestLine = "REQUEST_LINE", one;
    RequestMethod = "REQUEST_METHOD", one;
    RequestProtocol = "REQUEST_PROTOCOL", one;
    RequestUri = "REQUEST_URI", one;
    RequestUriRaw = "REQUEST_URI_RAW", one;
    ResponseBody = "RESPONSE_BODY", one;
    ResponseContentLength = "RESPONSE_CONTENT_LENGTH", one;
    ResponseContentType = "RESPONSE_CONTENT_TYPE", one;
    ResponseHeaders = "RESPONSE_HEADERS", many;
    ResponseHeadersNames = "RESPONSE_HEADERS_NAMES", many;
    ResponseProtocol = "RESPONSE_PROTOCOL", one;
    ResponseStatus = "RESPONSE_STATUS", one;
    ServerAddr = "SERVER_ADDR", one;
    ServerName = "SERVER_NAME", one;
    ServerPort = "SERVER_PORT", one;
    StatusLine = "STATUS_LINE", one;
    Time = "TIME", one;
    TimeDay = "TIME_DAY", one;
    TimeEpoch = "TIME_EPOCH", one;
    TimeHour = "TIME_HOUR", one;
    TimeMin = "TIME_MIN", one;
    TimeMon = "TIME_MON", one;
    TimeSec = "TIME_SEC", one;
    TimeWday = "TIME_WDAY", one;
    TimeYear = "TIME_YEAR", one;
    Tx = "TX", many;
    UniqueId = "UNIQUE_ID", one;
    UrlencodedError = "URLENCODED_ERROR", one;
    Xml = "XML", many;
}

/// Which members of a collection are meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// All members, or the single value of a scalar.
    All,
    /// The members with this name, in any case (ASCII).
    Key(String),
    /// The members whose name this pattern finds, in any case.
    Pattern(String),
}

/// One item of a rule's variable list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The variable.
    pub variable: Variable,
    /// Which of its members.
    pub selector: Selector,
    /// `!`: these members are left out.
    pub exclude: bool,
    /// `&`: the number of members is examined instead of their values.
    pub count: bool,
}

/// The two XPath expressions that rule sets use.
const XPATHS: &[&str] = &["/*", "//@*"];

/// Reads a variable list such as `ARGS|!ARGS:token|&REQUEST_HEADERS:Host`.
///
/// # Errors
/// The reason, when a variable or selector is not known.
pub fn parse(text: &str) -> Result<Vec<Target>, String> {
    split(text).into_iter().map(|item| one(item.trim())).collect()
}

/// Splits at `|` outside of `/…/` selectors.
fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut start = 0;
    let mut i = 0;
    let mut pattern = false;
    let mut quoted = false;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' if pattern => i += 1,
            b'\'' if pattern => quoted = !quoted,
            b'/' if pattern && (i + 1 == bytes.len() || matches!(bytes[i + 1], b'|' | b'\'')) => pattern = false,
            b'/' if !pattern
                && start < i
                && bytes[i - 1] == b':'
                && !text[start..i].to_ascii_uppercase().contains("XML:") =>
            {
                pattern = true;
            }
            b'\'' if !pattern && bytes.get(i + 1) == Some(&b'/') => {
                pattern = true;
                i += 1;
            }
            b'|' if !pattern => {
                out.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
        i += 1;
    }
    out.push(&text[start..]);
    out
}

fn one(item: &str) -> Result<Target, String> {
    let (exclude, rest) = item.strip_prefix('!').map_or((false, item), |r| (true, r));
    let (count, rest) = rest.strip_prefix('&').map_or((false, rest), |r| (true, r));
    if exclude && count {
        return Err(format!("`{item}`: a count cannot be excluded"));
    }
    let (name, key) = match rest.find([':', '.']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let variable = Variable::parse(name).ok_or_else(|| format!("variable `{name}` is not supported"))?;
    let selector = match key {
        None => Selector::All,
        Some(_) if !variable.is_collection() => {
            return Err(format!("`{name}` is a single value and takes no selector"));
        }
        Some("") => return Err(format!("`{item}`: the selector is empty")),
        Some(key) => {
            let bare = key.strip_prefix('\'').and_then(|k| k.strip_suffix('\'')).unwrap_or(key);
            match bare.strip_prefix('/').and_then(|k| k.strip_suffix('/')) {
                Some(pattern) if variable != Variable::Xml && !bare.eq("/") => Selector::Pattern(pattern.to_owned()),
                _ => Selector::Key(bare.to_owned()),
            }
        }
    };
    if variable == Variable::Xml {
        match &selector {
            Selector::Key(path) if XPATHS.contains(&path.as_str()) => {}
            _ => return Err(format!("`{item}`: of XPath only {} are supported", XPATHS.join(" and "))),
        }
    }
    Ok(Target { variable, selector, exclude, count })
}
