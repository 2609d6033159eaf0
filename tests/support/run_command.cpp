#include "support/run_command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "base/file.hpp"

namespace wan::test {
namespace {

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The file exists before the child runs, so that it can be read at any time.
pid_t fork_with(const std::string& output_file) {
  if (!std::ofstream(output_file, std::ios::app)) throw std::runtime_error("cannot create " + output_file);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("cannot fork");
  return pid;
}

/// Living processes whose session is `leader`'s.
std::vector<pid_t> session_of(pid_t leader) {
  std::vector<pid_t> members;
  std::error_code error;
  std::filesystem::directory_iterator next("/proc", error);
  for (; !error && next != std::filesystem::directory_iterator(); next.increment(error)) {
    const std::string name = next->path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const pid_t pid = static_cast<pid_t>(std::stol(name));
    if (::getsid(pid) != leader) continue;
    std::ifstream in(next->path() / "stat");
    std::string stat;
    std::getline(in, stat);
    const std::size_t after_name = stat.rfind(')');
    const bool zombie = after_name == std::string::npos || stat.compare(after_name, 3, ") Z") == 0;
    if (!zombie) members.push_back(pid);
  }
  return members;
}

}  // namespace

Child::Child(const std::vector<std::string>& words, std::string output_file,
             const std::map<std::string, std::string>& environment)
    : pid_(fork_with(output_file)) {
  if (pid_ > 0) {
    // The session must exist before anybody signals it.
    while (::getsid(pid_) != pid_ && ::kill(pid_, 0) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return;
  }
  ::setsid();
  // Whoever started the tests may have blocked what they send; a child would inherit that.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int out = ::open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::setenv("OMPI_MCA_orte_tmpdir_base", sessions_.path().c_str(), 1);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

Child::~Child() {
  if (code_ < 0) kill_all();
}

int Child::wait(double limit_s) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(limit_s);
  while (code_ < 0) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      code_ = code_of(status);
    } else if (std::chrono::steady_clock::now() > deadline) {
      return -1;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  return code_;
}

void Child::signal_all(int number) const {
  for (const pid_t member : session_of(pid_)) ::kill(member, number);
}

void Child::kill_all() {
  for (;;) {
    signal_all(SIGKILL);
    wait(0);
    if (session_of(pid_).empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

CommandResult run_command(const std::vector<std::string>& words, double limit_s,
                          const std::map<std::string, std::string>& environment) {
  const TemporaryFolder folder;
  CommandResult result;
  Child child(words, folder / "output", environment);
  result.code = child.wait(limit_s);
  result.output = read_file(folder / "output");
  return result;
}

std::vector<std::string> on_ranks(int ranks, const std::vector<std::string>& program) {
  if (ranks == 1) return program;
  std::vector<std::string> words = {
      WAN_MPIEXEC, "--oversubscribe",    "--bind-to", "none", "--allow-run-as-root",
      "-n",        std::to_string(ranks)};
  words.insert(words.end(), program.begin(), program.end());
  return words;
}

}  // namespace wan::test
