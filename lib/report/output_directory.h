// Where reports go: HEAPGAUGE_OUTPUT's pattern to a path, and that path to a directory that is safe
// to write in. Shared by the library and by `heapgauge run`, so that both mean the same directory.
//
// Needs libc and std::string alone, throws nothing of its own, changes no umask and follows no
// symbolic link but those that safe_path.h trusts.  Any thread; not in a signal handler.
#ifndef HEAPGAUGE_REPORT_OUTPUT_DIRECTORY_H_
#define HEAPGAUGE_REPORT_OUTPUT_DIRECTORY_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace heapgauge {

inline constexpr char kDefaultOutputPattern[] = "heapgauge.%e.%p";

// `%e` executable, `%p` pid, `%h` host, `%%` a percent sign; any other `%x` stays as it is.  Values
// can't leave their path component: a `/` or control character in them becomes `_`, one of dots
// only (or empty) becomes underscores, and each is cut at 100 bytes so that the name stays under
// NAME_MAX.  The pattern itself is the user's and taken as written, except that an empty one is the
// default.
//
// `exe` is the last component of ProgramPath().
std::string ExpandOutputPattern(std::string_view pattern, std::string_view exe, int64_t pid,
                                std::string_view host);

// Basename of what `exe_link` (/proc/self/exe, /proc/PID/exe) points to, without the kernel's "
// (deleted)"; "unknown" where it can't be read.
std::string ExecutableName(const char* exe_link = "/proc/self/exe");

// The program as it was asked for: the path that exec was given, made absolute, if it leads to the
// running executable (redis-server is a link to redis-check-rdb, and only the first name means
// something to a person); for a script, or without /proc, the executable itself.  Its last
// component is the %e of this process.  To be asked at start-up, before the program changes its
// directory.
std::string ProgramPath();

// The host name for %h, "localhost" if there is none.
std::string HostName();

// `pattern` with the working directory in front unless it is absolute; a `%` in the directory is
// doubled, so that it expands to itself.  Empty when the working directory can't be had.
std::string AbsoluteOutputPattern(std::string_view pattern);
// The same for another working directory.
std::string AbsoluteOutputPattern(std::string_view pattern, std::string_view here);

// The last component of `path` under $TMPDIR (ignored in set-uid programs, or when not absolute),
// else under /tmp: where a report goes that can't go to `path`.  Works on a pattern as well;
// $TMPDIR's own `%` are doubled then.
std::string FallbackOutput(std::string_view path, bool is_pattern = false);

// Opens the directory (safe_path.h), above descriptor 2.  With `create`, makes it and its missing
// parents, mode 0700.  Refused unless the effective user owns it and
// nobody else may write to it: others could put links there.  Returns -1 and one clause in *error
// ("cannot make /x/y: Permission denied") on failure; errno is then that of the failing call, EPERM
// for a refusal.
int OpenReportDirectory(const std::string& path, bool create, std::string* error);

// Why an open directory is refused, as a clause behind its name; nullptr when it is not.
const char* WhyUnsafe(int directory) noexcept;

// Creates an empty `reports.jsonl` (0600) in `directory`: the mark by which the library knows that
// `heapgauge run` started the process and expects a report even if nothing is sampled.  False if
// the file is already there or can't be made.
bool MarkReportExpected(int directory);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_OUTPUT_DIRECTORY_H_
