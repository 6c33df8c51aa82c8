//! What surrounds a rule set: the engine's own settings, and what the rule set's tests ask for.

/// ModSecurity's recommended settings, as far as they concern the engine: bodies of JSON and XML are read as such, what
/// could not be read with certainty is refused, sizes are bounded (in bytes: 128 KiB without files, 12.5 MiB with; of
/// responses the first 512 KiB are examined).
pub const RECOMMENDED: &str = r#"SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit 1000
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecResponseBodyLimit 524288
SecResponseBodyLimitAction ProcessPartial
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/(?:[a-z0-9.-]+[+])?json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:200002,phase:2,t:none,log,deny,status:400,msg:'Failed to parse request body.',logdata:'%{REQBODY_ERROR_MSG}',severity:2"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:200003,phase:2,t:none,log,deny,status:400,msg:'Multipart request body failed strict validation.'"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" "id:200004,phase:2,t:none,log,deny,status:400,msg:'Multipart parser detected a possible unmatched boundary.'"
"#;

/// The Core Rule Set as an operator runs it. `setup` is its `crs-setup.conf`, `rules` a pattern for its rule files.
#[must_use]
pub fn crs(setup: &str, rules: &str) -> String {
    format!("{RECOMMENDED}Include {setup}\nInclude {rules}\n")
}

/// The Core Rule Set as its own tests expect it: detecting only, everything examined, paranoia level 4, limits on arguments
/// and files.
#[must_use]
pub fn corpus(setup: &str, rules: &str) -> String {
    let readers: Vec<&str> = RECOMMENDED.lines().filter(|l| l.contains("ctl:requestBodyProcessor")).collect();
    format!(
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n{}\nInclude {setup}\n\
         SecAction \"id:900001,phase:1,pass,nolog,t:none,setvar:tx.blocking_paranoia_level=4,setvar:tx.arg_length=400,\
         setvar:tx.arg_name_length=100,setvar:tx.max_num_args=255,setvar:tx.total_arg_length=6400,\
         setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535\"\nInclude {rules}\n",
        readers.join("\n")
    )
}
