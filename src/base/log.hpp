#pragma once
#include <string>

/// One event per line. Rank 0 writes to standard error; with `open_file` every rank also writes to a file of
/// its own.
namespace wan::log {

/// Names this process in its lines. Ranks other than 0 print only warnings and errors to standard error.
void set_rank(int rank, int world);

/// Adds `path` (created, appended to) as a second sink.
void open_file(const std::string& path);

void info(const std::string& message);
void warn(const std::string& message);
void error(const std::string& message);
/// The one error that a job ends with: its text names the rank that it is about, so the line does not name
/// the rank that prints it.
void closing_error(const std::string& message);

/// Writes what is buffered; called before the process ends.
void flush();

}  // namespace wan::log
