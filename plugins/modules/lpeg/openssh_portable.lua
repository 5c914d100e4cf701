-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# OpenSSH: the messages of its programs, as specifications of `lpeg.printf`

```lua
printf_messages = { "lpeg.openssh_portable" }
sub_decoders = { sshd = { "Accepted publickey for ann from 10.11.12.13 port 4242 ssh2" } }
```

## Variables

`printf_messages` is the array of specifications. Members are named as the arguments in the sources of OpenSSH:
`user`, `pw_name`, `authmsg`, `method`, `submethod`, `extra`, `msg`, `ssh_remote_port`, ... In the messages about
log-ins and connections `ssh_remote_ipaddr` and `ssh_local_ipaddr` are fields with the representation "ipv4" or "ipv6";
elsewhere they are texts. A connection that belongs to a user has the member `user`; ` [preauth]` is skipped.
--]]

local l  = require "lpeg"
local ip = require "lpeg.ip_address"

local P, R, S, Cg = l.P, l.R, l.S, l.Cg
local tonumber = tonumber

local M = {}
setfenv(1, M)

local function maybe(text)
    return P(text)^-1
end

local address   = ip.v4_field + ip.v6_field
local remote_ip = Cg(address, "ssh_remote_ipaddr")
local local_ip  = Cg(address, "ssh_local_ipaddr")
local port_text = Cg(R"09"^1, "strport")
local method    = Cg((1 - S"/ ")^1, "method")
local submethod = Cg((1 - P" ")^1, "submethod")^-1
local invalid   = maybe"invalid user "
local reason    = Cg((1 - P":")^0, "reason2txt")
local rdomain   = (P' rdomain "' * Cg((1 - P'"')^0, "rdomain") * '"')^-1

-- Messages of the process that serves a client who has not logged in yet.
local preauth = maybe" [preauth]"
local function before_preauth(name)
    return Cg((1 - P" [preauth]" * -1)^0, name)
end
local reason_before_preauth, offer_before_preauth = before_preauth "msg", before_preauth "failed_choice"

-- The other side of a connection, with the user where one is known.
local peer = ((P"authenticating " + "invalid ")^-1 * "user " * Cg((1 - P" ")^0, "user") * " ")^-1
    * remote_ip * " port " * Cg(R"09"^1 / tonumber, "ssh_remote_port")

printf_messages = {
    -- Who may log in
    { "%s %s%s%s for %s%.100s from %.200s port %d ssh2%s%s", "authmsg", method, P"/"^-1, submethod, invalid, "user",
      remote_ip, "ssh_remote_port", P":"^-1, "extra" },
    { "maximum authentication attempts exceeded for %s%.100s from %.200s port %d ssh2%s", invalid, "user", remote_ip,
      "ssh_remote_port", preauth },
    { "error: maximum authentication attempts exceeded for %s%.100s from %.200s port %d ssh2%s", invalid, "user", remote_ip,
      "ssh_remote_port", preauth },
    { "PAM: %s for %s%.100s from %.100s", "msg", maybe"illegal user ", "user", "rhost" },
    { "error: PAM: %s for %s%.100s from %.100s", "msg", maybe"illegal user ", "user", "rhost" },
    { "Access denied for user %s by PAM account configuration%s", "user", preauth },
    { "input_userauth_request: invalid user %s%s", "user", preauth },
    { "%s: key type %s not in HostbasedAcceptedKeyTypes", "__func__", "sshkey_type" },
    { "%s: key type %s not in PubkeyAcceptedKeyTypes", "__func__", "sshkey_ssh_name" },
    { "%s: unsupported public key algorithm: %s", "__func__", "pkalg" },
    { "Account %.100s has expired", "sp_namp" },
    { "Address %.100s maps to %.600s, but this does not map back to the address.", "ntop", "name" },
    { "Authentication methods list \"%s\" contains disabled method, skipping", "auth_methods" },
    { "Authentication refused for %.100s: bad owner or modes for %.200s", "pw_name", "user_hostfile" },
    { "Authentication refused: %s", "line" },
    { "Authentication tried for %.100s with correct key but not from a permitted host (host=%.200s, ip=%.200s).",
      "pw_name", "remote_host", "remote_ip" },
    { "Authentication tried for %.100s with valid certificate but not from a permitted host (ip=%.200s).",
      "pw_name", "remote_ip" },
    { "Bad options in %.100s file, line %lu: %.50s", "file", "linenum", "opts" },
    { "Certificate extension \"%s\" is not supported", "name" },
    { "Invalid user %.100s from %.100s port %d", "user", "ssh_remote_ipaddr", "ssh_remote_port" },
    { "Login name %.100s does not match stored username %.100s", "user", "pw_name" },
    { "Nasty PTR record \"%s\" is set up for %s, ignoring", "name", "ntop" },
    { "refusing previously-used %s key", "sshkey_type" },
    { "reverse mapping checking getaddrinfo for %.700s [%s] failed.", "name", "ntop" },
    { "Rhosts authentication refused for %.100s: bad modes for %.200s", "pw_name", "buf" },
    { "Rhosts authentication refused for %.100s: bad ownership or modes for home directory.", "pw_name" },
    { "Rhosts authentication refused for %.100s: no home directory %.200s", "pw_name", "pw_dir" },
    { "ROOT LOGIN REFUSED FROM %.200s port %d", "ssh_remote_ipaddr", "ssh_remote_port" },
    { "User %.100s from %.100s not allowed because a group is listed in DenyGroups", "pw_name", "hostname" },
    { "User %.100s from %.100s not allowed because listed in DenyUsers", "pw_name", "hostname" },
    { "User %.100s from %.100s not allowed because none of user's groups are listed in AllowGroups", "pw_name", "hostname" },
    { "User %.100s from %.100s not allowed because not in any group", "pw_name", "hostname" },
    { "User %.100s from %.100s not allowed because not listed in AllowUsers", "pw_name", "hostname" },
    { "User %.100s not allowed because account is locked", "pw_name" },
    { "User %.100s not allowed because shell %.100s does not exist", "pw_name", "shell" },
    { "User %.100s not allowed because shell %.100s is not executable", "pw_name", "shell" },
    { "User %.100s password has expired (password aged)", "user" },
    { "User %.100s password has expired (root forced)", "user" },
    { "User %s %s %s is not a regular file", "pw_name", "file_type", "file" },
    { "User %s hosts file %s is not a regular file", "server_user", "filename" },
    { "userauth_hostbased mismatch: client sends %s, but we resolve %s to %s", "chost", "ipaddr", "resolvedname" },
    { "wrong user name passed to monitor: expected %s != %.100s", "userstyle", "cp" },
    -- Connections and the server
    { "Connection from %s port %d on %s port %d%s", remote_ip, "ssh_remote_port", local_ip, "ssh_local_port", rdomain },
    { "Connection closed by %s%s", peer, preauth },
    { "Connection reset by %s%s", peer, preauth },
    { "Connection from %s timed out%s", peer, preauth },
    { "Disconnected from %s%s", peer, preauth },
    { "Received disconnect from %s port %d:%u: %s%s", remote_ip, "ssh_remote_port", "disconnect_reason",
      reason_before_preauth, preauth },
    { "Unable to negotiate with %s: %s. Their offer: %s%s", peer, "msg", offer_before_preauth, preauth },
    { "Timeout before authentication for %s", peer },
    { "ssh_dispatch_run_fatal: Connection from %s: %s%s", peer, reason_before_preauth, preauth },
    { "banner exchange: Connection from %s port %d: %s", remote_ip, "ssh_remote_port", "msg" },
    { "kex_exchange_identification: %s", "msg" },
    { "error: kex_exchange_identification: %s", "msg" },
    { "drop connection #%d from [%s]:%d on [%s]:%d %s", "connection", remote_ip, "ssh_remote_port", local_ip,
      "ssh_local_port", "msg" },
    { "Bad packet length %u.", "packlen" },
    { "Bad protocol version identification '%.100s' from %s port %d",
      "client_version_string", "ssh_remote_ipaddr", "ssh_remote_port" },
    { "Client version \"%.100s\" uses unsafe RSA signature scheme; disabling use of RSA keys", "remote_version" },
    { "Could not write ident string to %s port %d", "ssh_remote_ipaddr", "ssh_remote_port" },
    { "Did not receive identification string from %s port %d", "ssh_remote_ipaddr", "ssh_remote_port" },
    { "Disconnecting %s: %.100s", "remote_id", "buf" },
    { "dispatch_protocol_error: type %d seq %u", "type", "seq" },
    { "dispatch_protocol_ignore: type %d seq %u", "type", "seq" },
    { "Exiting on signal %d", "received_sigterm" },
    { "Finished discarding for %.200s port %d", "ssh_remote_ipaddr", "ssh_remote_port" },
    { "ignoring bad proto spec: '%s'.", "p" },
    { "packet_set_maxsize: bad size %d", "s" },
    { "packet_set_maxsize: called twice: old %d new %d", "max_packet_size", "s" },
    { "padding error: need %d block %d mod %d", "need", "block_size", "need % block_size" },
    { "probed from %s port %d with %s. Don't panic.", "ssh_remote_ipaddr", "ssh_remote_port", "client_version_string" },
    { "Protocol major versions differ for %s port %d: %.200s vs. %.200s",
      "ssh_remote_ipaddr", "ssh_remote_port", "server_version_string", "client_version_string" },
    { "Received signal %d; terminating.", "received_sigterm" },
    { "refused local port forward: originator %s port %d, target %s port %d",
      "originator", "originator_port", "target", "target_port" },
    { "refused streamlocal port forward: originator %s port %d, target %s", "originator", "originator_port", "target" },
    { "RESTART FAILED: av[0]='%.100s', error: %.100s.", "saved_argv", "strerror" },
    { "scanned from %s port %d with %s. Don't panic.", "ssh_remote_ipaddr", "ssh_remote_port", "client_version_string" },
    { "Server listening on %s port %s%s%s.", "ntop", port_text, maybe" rdomain ", "rdomain" },
    { "Timeout, client not responding from %s", "remote_id" },
    -- Sessions and terminals
    { "Starting session: %s for %s from %.200s port %d id %d", "session_type", "pw_name", remote_ip, "ssh_remote_port",
      "self" },
    { "Close session: user %s from %.200s port %d id %d", "pw_name", remote_ip, "ssh_remote_port", "self" },
    { "User child is on pid %ld", "m_pid" },
    { "%s: no session %d req %.100s", "__func__", "self", "rtype" },
    { "parse_tty_modes: n_bytes_ptr != n_bytes: %d %d", "n_bytes_ptr", "n_bytes" },
    { "parse_tty_modes: unknown opcode %d", "opcode" },
    { "Setting tty modes failed: %.100s", "strerror" },
    { "subsystem request for %.100s by user %s failed, subsystem not found", "subsys", "pw_name" },
    { "tcgetattr: %.100s", "strerror" },
    { "User %.100s not allowed because %s exists", "pw_name", "nl" },
    -- Channels and forwarding
    { "%s: %d: bad id", "__func__", "id" },
    { "%s: %d: bad id: channel free", "__func__", "id" },
    { "%s: %d: unknown channel id", "__func__", "id" },
    { "%s: %d: unknown", "__func__", "id" },
    { "%s: invalid connect port %u", "__func__", "connect_port" },
    { "%s: invalid forwarding type %u", "__func__", "ftype" },
    { "%s: invalid listen port %u", "__func__", "listen_port" },
    { "%s: missing connect host", "__func__" },
    { "%s: streamlocal and dynamic forwards are mutually exclusive", "__func__" },
    { "channel %d: bad ext data", "self" },
    { "channel %d: chan_shutdown_read: close() failed for fd %d: %.100s", "self", "rfd", "strerror" },
    { "channel %d: chan_shutdown_write: close() failed for fd %d: %.100s", "self", "wfd", "strerror" },
    { "channel %d: ext data for non open", "self" },
    { "channel %d: open failed: %s%s%s", "self", reason, maybe": ", "msg" },
    { "channel %d: rcvd big packet %zu, maxpack %u", "self", "win_len", "local_maxpacket" },
    { "channel %d: rcvd too much data %zu, win %u", "self", "win_len", "local_window" },
    { "channel %d: rcvd too much extended_data %zu, win %u", "self", "data_len", "local_window" },
    { "channel_send_open: %d: bad id", "id" },
    { "Non-public channel %d, type %d.", "id", "type" },
    { "Received request to connect to host %.100s port %d, but the request was denied.", "host", "port" },
    { "Received request to connect to path %.100s, but the request was denied.", "path" },
    { "Received window adjust for non-open channel %d.", "id" },
    { "slave-requested %s failed", "fwd_desc" },
    -- The SFTP server
    { "%s%sclose \"%s\" bytes read %llu written %llu",
      "emsg", maybe" ", "handle_to_name", "handle_bytes_read", "handle_bytes_write" },
    { "%s%sclosedir \"%s\"", "emsg", maybe" ", "handle_to_name" },
    { "hardlink old \"%s\" new \"%s\"", "oldpath", "newpath" },
    { "mkdir name \"%s\" mode 0%o", "name", "mode" },
    { "open \"%s\" flags %s mode 0%o", "name", "string_from_portable", "mode" },
    { "opendir \"%s\"", "path" },
    { "posix-rename old \"%s\" new \"%s\"", "oldpath", "newpath" },
    { "remove name \"%s\"", "name" },
    { "rename old \"%s\" new \"%s\"", "oldpath", "newpath" },
    { "rmdir name \"%s\"", "name" },
    { "sent status %s", "status_to_message" },
    { "session closed for local user %s from [%s]", "pw_name", "client_addr" },
    { "session opened for local user %s from [%s]", "pw_name", "client_addr" },
    { "set \"%s\" mode %04o", "name", "perm" },
    { "set \"%s\" modtime %s", "name", "buf" },
    { "set \"%s\" owner %lu group %lu", "name", "uid", "gid" },
    { "set \"%s\" size %llu", "name", "size" },
    { "statvfs \"%s\"", "path" },
    { "symlink old \"%s\" new \"%s\"", "oldpath", "newpath" },
    -- Login records
    { "%s: %.100s is not a file or directory!", "__func__", "LASTLOG_FILE" },
    { "%s: %s->lseek(): %s", "__func__", "lastlog_file", "strerror" },
    { "%s: Couldn't seek to tty %d slot in %s", "__func__", "tty", "UTMP_FILE" },
    { "%s: Couldn't stat %s: %s", "__func__", "LASTLOG_FILE", "strerror" },
    { "%s: couldn't stat %s: %s", "__func__", "WTMP_FILE", "strerror" },
    { "%s: error writing %s: %s", "__func__", "UTMP_FILE", "strerror" },
    { "%s: Error writing to %s: %s", "__func__", "LASTLOG_FILE", "strerror" },
    { "%s: fstat of %s failed: %s", "__func__", "_PATH_BTMP", "strerror" },
    { "%s: invalid type field", "__func__" },
    { "%s: Invalid type field", "__func__" },
    { "%s: logout() returned an error", "__func__" },
    { "%s: lseek: %s", "__func__", "strerror" },
    { "%s: not implemented!", "__func__" },
    { "%s: problem opening %s: %s", "__func__", "WTMP_FILE", "strerror" },
    { "%s: problem writing %s: %s", "__func__", "WTMP_FILE", "strerror" },
    { "%s: read of %s failed: %s", "__func__", "WTMP_FILE", "strerror" },
    { "%s: tty not found", "__func__" },
    { "%s: utmp_write_direct() failed", "__func__" },
    { "%s: utmp_write_library() failed", "__func__" },
    { "Excess permission or bad ownership on file %s", "_PATH_BTMP" },
    { "Writing login record failed for %s", "username" },
    -- Kerberos
    { "Authorized to %s, krb5 principal %s (krb5_kuserok)", "name", "value" },
    { "fchmod(): %.100s", "strerror" },
    { "krb5_cc_gen_new(): %.100s", "krb5_get_err_text" },
    { "krb5_cc_initialize(): %.100s", "errmsg" },
    { "krb5_cc_new_unique(): %.100s", "errmsg" },
    { "krb5_parse_name(): %.100s", "errmsg" },
    { "mkstemp(): %.100s", "strerror" },
    { "ssh_krb5_cc_gen(): %.100s", "errmsg" },
    -- Accounts of some systems
    { "%s: getcon failed with %s", "__func__", "strerror" },
    { "Account %s has unsupported auth1 value '%s'", "user", "p" },
    { "Can't retrieve attribute auth1 for %s: %.100s", "user", "strerror" },
    { "Can't retrieve attribute SYSTEM for %s: %.100s", "user", "strerror" },
    { "Login restricted for %s: %.100s", "pw_name", "msg" },
    { "Password can't be changed for user %s: %.100s", "name", "msg" },
    -- The client
    { "%s host key for IP address '%.128s' not in list of known hosts.", "type", "ip" },
    { "%s, %s", "SSH_RELEASE", "version" },
    { "%s: lstat failed: %s", "filename", "strerror" },
    { "%s: not a regular file\n", "new_src" },
    { "Allocated port %u for remote forward to %s:%d", "allocated_port", "connect_host", "connect_port" },
    { "DISPLAY \"%s\" invalid; disabling X11 forwarding", "display" },
    { "Failed to add the %s host key for IP address '%.128s' to the list of known hosts (%.500s).",
      "type", "ip", "user_hostfiles" },
    { "Failed to add the host to the list of known hosts (%.500s).", "user_hostfiles" },
    { "Host key fingerprint is %s\n%s", "fp", "ra" },
    { "No user exists for uid %lu", "original_real_uid" },
    { "Server version \"%.100s\" uses unsafe RSA signature scheme; disabling use of RSA keys", "remote_version" },
    { "Timeout, server %s not responding.", "host" },
    { "WARNING: %s key found for host %s\nin %s:%lu\n%s key fingerprint %s.",
      "key_type", "host", "file", "line", "key_type", "fp" },
    { "Warning: Permanently added '%.200s' (%s) to the list of known hosts.", "hostp", "type" },
    { "Warning: Permanently added the %s host key for IP address '%.128s' to the list of known hosts.", "type", "ip" },
    { "Warning: remote port forwarding failed for listen path %s", "listen_path" },
    { "Warning: remote port forwarding failed for listen port %d", "listen_port" },
    -- Keys and primes
    { "%.24s Found %u candidates", "ctime", "r" },
    { "%.24s Found %u safe primes of %u candidates in %ld seconds", "ctime", "count_out", "count_possible", "duration" },
    { "%.24s processed %lu in %s", "ctime", "processed", "fmt_time" },
    { "%.24s processed %lu of %lu (%lu%%) in %s, ETA %s",
      "ctime", "processed", "num_to_process", "percent", "fmt_time", "eta_str" },
    { "%.24s Sieve next %u plus %u-bit", "ctime", "largenumbers", "power" },
    { "%.24s Sieved with %u small primes in %lld seconds", "ctime", "largetries", "duration" },
    { "%s:%lu: ignoring host name with wildcard: %.64s", "path", "linenum", "hosts" },
    { "%s:%lu: invalid line", "path", "linenum" },
    { "Decreased memory: %u MB; want %u bytes", "largememory", "bytes" },
    { "Failed to load checkpoint from '%s'", "cpfile" },
    { "failed to write to checkpoint file '%s': %s", "cpfile", "strerror" },
    { "Host %s not found in %s", "name", "identity_file" },
    { "Increased memory: %u MB; need %u bytes", "largememory", "bytes" },
    { "invalid public DH value (%d/%d)", "bits_set", "BN_num_bits" },
    { "Limited memory: %u MB; limit %lu MB", "largememory", "LARGE_MAXIMUM" },
    { "Loaded checkpoint from '%s' line %lu", "cpfile", "lineno" },
    { "mkstemp(%s): %s", "tmp", "strerror" },
    { "Signed %s key %s: id \"%s\" serial %llu%s%s valid %s",
      "sshkey_cert_type", "out", "key_id", "serial", maybe" for ", "cert_principals", "valid" },
    { "WARNING: %s contains unhashed entries", "old" },
    { "WARNING: could not open %s (%s), using fixed modulus", "_PATH_DH_MODULI", "strerror" },
    { "WARNING: line %d disappeared in %s, giving up", "which", "_PATH_DH_MODULI" },
    { "WARNING: no suitable primes in %s", "_PATH_DH_MODULI" },
    { "write_checkpoint: fdopen: %s", "strerror" },
    -- Anything
    { "%s", "msg" },
}

return M
