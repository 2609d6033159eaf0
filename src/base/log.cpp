#include "base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace wan::log {
namespace {

constexpr const char* plain_pattern = "[%Y-%m-%d %H:%M:%S] %l: %v";

struct Sinks {
  std::shared_ptr<spdlog::sinks::stderr_sink_mt> console = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  spdlog::logger logger{"wan", console};
  Sinks() {
    logger.set_pattern(plain_pattern);
    logger.flush_on(spdlog::level::info);
  }
};

Sinks& sinks() {
  static Sinks instance;
  return instance;
}

}  // namespace

void set_rank(int rank, int world) {
  Sinks& s = sinks();
  if (rank != 0) s.console->set_level(spdlog::level::warn);
  if (world > 1) {
    s.console->set_pattern("[%Y-%m-%d %H:%M:%S] %l: rank " + std::to_string(rank) + ": %v");
  }
}

void open_file(const std::string& path) {
  Sinks& s = sinks();
  auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, false);
  file->set_pattern("[%Y-%m-%d %H:%M:%S.%e] %l: %v");
  s.logger.sinks().push_back(file);
}

void info(const std::string& message) {
  sinks().logger.info("{}", message);
}
void warn(const std::string& message) {
  sinks().logger.warn("{}", message);
}
void error(const std::string& message) {
  sinks().logger.error("{}", message);
}
void closing_error(const std::string& message) {
  sinks().console->set_pattern(plain_pattern);
  error(message);
}
void flush() {
  sinks().logger.flush();
}

}  // namespace wan::log
