#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/save.hpp"
#include "support/checkpoint_properties.hpp"
#include "support/temporary_folder.hpp"

// This program's own versions of the calls by which anything reaches a file system. The call of a given
// number is the process's last, as by kill -9, or fails, as on a broken disk. A save meets that at its first
// call, its second, and so on to its end.
namespace {

int calls_left = -1;
bool die = true;

/// Whether this call is to fail.
bool strikes() {
  if (calls_left < 0) return false;
  if (calls_left-- > 0) return false;
  if (die) ::raise(SIGKILL);
  errno = EIO;
  return true;
}

template <class Function>
Function next_of(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  if ((flags & (O_WRONLY | O_RDWR)) != 0 && strikes()) return -1;
  return next_of<int (*)(const char*, int, mode_t)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  if ((flags & (O_WRONLY | O_RDWR)) != 0 && strikes()) return -1;
  return next_of<int (*)(const char*, int, mode_t)>("open64")(path, flags, mode);
}

ssize_t write(int file, const void* data, size_t bytes) {
  if (strikes()) return -1;
  return next_of<ssize_t (*)(int, const void*, size_t)>("write")(file, data, bytes);
}

ssize_t pwrite(int file, const void* data, size_t bytes, off_t offset) {
  if (strikes()) return -1;
  return next_of<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(file, data, bytes, offset);
}

ssize_t pwrite64(int file, const void* data, size_t bytes, off64_t offset) {
  if (strikes()) return -1;
  return next_of<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(file, data, bytes, offset);
}

/// Not done: what a killed process wrote is there, and the disk's time is saved.
int fsync(int) {
  return strikes() ? -1 : 0;
}

int fallocate(int file, int mode, off_t offset, off_t length) {
  if (strikes()) return -1;
  return next_of<int (*)(int, int, off_t, off_t)>("fallocate")(file, mode, offset, length);
}

int posix_fallocate(int file, off_t offset, off_t length) {
  if (strikes()) return EIO;
  return next_of<int (*)(int, off_t, off_t)>("posix_fallocate")(file, offset, length);
}

int rename(const char* from, const char* to) noexcept {
  if (strikes()) return -1;
  return next_of<int (*)(const char*, const char*)>("rename")(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  if (strikes()) return -1;
  return next_of<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(from_folder, from,
                                                                                     to_folder, to, flags);
}

int unlink(const char* path) noexcept {
  if (strikes()) return -1;
  return next_of<int (*)(const char*)>("unlink")(path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  if (strikes()) return -1;
  return next_of<int (*)(int, const char*, int)>("unlinkat")(folder, path, flags);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (strikes()) return -1;
  return next_of<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"

namespace wan::checkpoint {
namespace {

namespace fs = std::filesystem;

const test::FakeRun& fake() {
  static const test::FakeRun run(6);
  return run;
}

/// Saves in a child process that dies before its call number `calls` (-1: lives). True if it lived and the
/// save is good.
bool save_in_child(const std::string& run, std::int64_t step, int calls) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Snapshot snapshot = fake().snapshot(step, 2, 0, 1);
    calls_left = calls;
    const Outcome outcome = save(Communicator(), run, snapshot, {2, 0});
    calls_left = -1;
    ::_exit(outcome.good() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
  return WIFEXITED(status);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// Steps 1 to 3 are there (retention: 2); step `step` is saved and killed at every call in turn.
void kill_at_every_call(std::int64_t step) {
  bool lived = false;
  int cut = 0;
  int committed_before_death = 0;
  for (; !lived; ++cut) {
    SCOPED_TRACE(cat("step ", step, " killed before call ", cut));
    const test::TemporaryFolder folder;
    for (const std::int64_t before : {2, 3}) ASSERT_TRUE(save_in_child(folder.path(), before, -1));
    lived = save_in_child(folder.path(), step, cut);
    {
      const auto loaded = open_newest(Communicator(), folder.path());
      ASSERT_TRUE(loaded.has_value());
      ASSERT_TRUE(loaded->step() == 3 || loaded->step() == step);
      ASSERT_TRUE(fake().equal(*loaded));
      EXPECT_TRUE(!lived || loaded->step() == step);
      if (!lived && step > 3 && loaded->step() == step) ++committed_before_death;
    }
    // The next start cleans up, and the save that was cut can be done again.
    remove_leftovers(folder.path());
    ASSERT_TRUE(save_in_child(folder.path(), step, -1));
    const auto again = open_newest(Communicator(), folder.path());
    ASSERT_TRUE(again.has_value());
    ASSERT_EQ(again->step(), step);
    const std::string older = iteration_name(step == 3 ? 2 : 3);
    ASSERT_EQ(names_in(folder.path()), (std::vector<std::string>{older, iteration_name(step), tracker_name}));
  }
  // Creation, reservation, every tensor, texts, manifest, renames, tracker, removal: all were cut.
  EXPECT_GT(cut, 80);
  EXPECT_TRUE(step == 3 || committed_before_death >= 5) << committed_before_death;
}

/// A child saves steps 2, 3 and 4, where call number `cut` of the save of step 4 fails, and then step 5. Exit
/// code: 0 if step 4 was saved, 1 if that failed as a value, others mean that something else is wrong.
int save_on_broken_disk(const std::string& run, int cut) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto save_step = [&](std::int64_t step) {
      return save(Communicator(), run, fake().snapshot(step, 2, 0, 1), {2, 0}).good();
    };
    if (!save_step(2) || !save_step(3)) ::_exit(2);
    die = false;
    calls_left = cut;
    const bool good = save_step(4);
    const bool struck = calls_left < 0;
    calls_left = -1;
    const auto loaded = open_newest(Communicator(), run);
    if (!loaded || !fake().equal(*loaded)) ::_exit(3);
    if (loaded->step() != 4 && (good || loaded->step() != 3)) ::_exit(4);
    if (!save_step(5)) ::_exit(5);
    ::_exit(struck ? (good ? 0 : 1) : 10);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST(every_call, one_that_fails_is_a_failed_save_and_training_goes_on) {
  int failed_saves = 0;
  int code = 0;
  int cut = 0;
  for (; code != 10; ++cut) {
    SCOPED_TRACE(cat("call ", cut, " fails"));
    const test::TemporaryFolder folder;
    code = save_on_broken_disk(folder.path(), cut);
    ASSERT_TRUE(code == 0 || code == 1 || code == 10) << code;
    if (code == 1) ++failed_saves;
    const auto loaded = open_newest(Communicator(), folder.path());
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(loaded->step(), 5);
    EXPECT_TRUE(fake().equal(*loaded));
  }
  EXPECT_GT(cut, 80);
  EXPECT_GT(failed_saves, cut / 2);
}

TEST(every_call, a_new_step) {
  kill_at_every_call(4);
}

TEST(every_call, a_step_that_is_there_already) {
  kill_at_every_call(3);
}

}  // namespace
}  // namespace wan::checkpoint
