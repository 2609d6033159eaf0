#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

namespace wan {

/// Process exit codes; the job scripts act on them (75 is requeued, the rest ends the chain).
enum class ExitCode : int {
  done = 0,
  usage = 64,
  data = 65,
  no_input = 66,
  internal = 70,
  comm = 71,
  cannot_create = 73,
  io = 74,
  requeue = 75,
  config = 78,
  watchdog = 80,
  numeric = 81,
  corruption = 82,
};

/// Base of every error this project throws. `what()` says what was found and what is allowed.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// A command line that cannot be understood.
struct UsageError : Error {
  explicit UsageError(const std::string& message) : Error(ExitCode::usage, message) {}
};

/// A file that exists but whose content is wrong; `path` names it.
struct DataError : Error {
  DataError(std::string file, const std::string& message)
      : Error(ExitCode::data, file + ": " + message), path(std::move(file)) {}
  std::string path;
};

/// A file or folder that was asked for and is not there.
struct NoInputError : Error {
  NoInputError(std::string file, const std::string& message)
      : Error(ExitCode::no_input, file + ": " + message), path(std::move(file)) {}
  std::string path;
};

/// A bug of ours.
struct InternalError : Error {
  explicit InternalError(const std::string& message) : Error(ExitCode::internal, message) {}
};

/// MPI, NCCL or the device failed.
struct CommError : Error {
  explicit CommError(const std::string& message) : Error(ExitCode::comm, message) {}
};

/// A file or folder that cannot be created.
struct CreateError : Error {
  CreateError(std::string file, const std::string& message)
      : Error(ExitCode::cannot_create, file + ": " + message), path(std::move(file)) {}
  std::string path;
};

/// Reading or writing failed; `error_number` is errno (0 if none applies).
struct IoError : Error {
  IoError(std::string file, int errno_value, const std::string& message);
  std::string path;
  int error_number;
};

/// A run file or override that breaks a rule; `key` is dotted, `a.b`.
struct ConfigError : Error {
  ConfigError(std::string dotted_key, const std::string& message)
      : Error(ExitCode::config, dotted_key.empty() ? message : dotted_key + ": " + message),
        key(std::move(dotted_key)) {}
  std::string key;
};

/// NaN or infinity where a number is needed.
struct NumericError : Error {
  NumericError(std::int64_t at_step, std::string name, const std::string& message)
      : Error(ExitCode::numeric, "step " + std::to_string(at_step) + ", " + name + ": " + message),
        step(at_step),
        tensor(std::move(name)) {}
  std::int64_t step;
  std::string tensor;
};

}  // namespace wan
