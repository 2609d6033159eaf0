#include "comm/agree.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <new>
#include <numeric>

#include "base/text.hpp"

namespace wan {
namespace {

template <class T>
T reduced(const Communicator& comm, T value, DType dtype, Reduce op) {
  comm.all_reduce(Tensor(&value, dtype, {1}), op).wait();
  return value;
}

}  // namespace

std::int64_t max_over(const Communicator& comm, std::int64_t value) {
  return reduced(comm, value, DType::i64, Reduce::max);
}
std::int64_t min_over(const Communicator& comm, std::int64_t value) {
  return reduced(comm, value, DType::i64, Reduce::min);
}
std::int64_t sum_over(const Communicator& comm, std::int64_t value) {
  return reduced(comm, value, DType::i64, Reduce::sum);
}
double max_over(const Communicator& comm, double value) {
  return reduced(comm, value, DType::f64, Reduce::max);
}
double sum_over(const Communicator& comm, double value) {
  return reduced(comm, value, DType::f64, Reduce::sum);
}

std::vector<std::string> gather_texts(const Communicator& comm, std::string_view text) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(comm.size()));
  std::int64_t length = static_cast<std::int64_t>(text.size());
  comm.all_gather(Tensor(&length, DType::i64, {1}), Tensor(lengths.data(), DType::i64, {comm.size()})).wait();
  std::string mine(text);
  std::string all(static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})),
                  '\0');
  const auto total = static_cast<std::int64_t>(all.size());
  comm.all_gather(Tensor(mine.data(), DType::u8, {length}), Tensor(all.data(), DType::u8, {total}), lengths)
      .wait();
  std::vector<std::string> texts;
  std::size_t begin = 0;
  for (const std::int64_t each : lengths) {
    texts.push_back(all.substr(begin, static_cast<std::size_t>(each)));
    begin += static_cast<std::size_t>(each);
  }
  return texts;
}

std::string broadcast_text(const Communicator& comm, std::string_view text, int root) {
  std::int64_t length = static_cast<std::int64_t>(text.size());
  comm.broadcast(Tensor(&length, DType::i64, {1}), root).wait();
  std::string out(text);
  out.resize(static_cast<std::size_t>(length));
  comm.broadcast(Tensor(out.data(), DType::u8, {length}), root).wait();
  return out;
}

void require_agreement(const Communicator& comm, const std::string& key, std::string_view text) {
  if (comm.size() == 1) return;
  const std::string first = broadcast_text(comm, text);
  const std::string verdict = first == text ? std::string() : cat(host_name(), " has \"", text, "\"");
  std::vector<std::string> others;
  const std::vector<std::string> verdicts = gather_texts(comm, verdict);
  for (std::size_t rank = 0; rank < verdicts.size(); ++rank) {
    if (!verdicts[rank].empty()) others.push_back(cat("rank ", rank, " on ", verdicts[rank]));
  }
  if (others.empty()) return;
  constexpr std::size_t most = 4;
  const std::size_t hidden = others.size() - std::min(most, others.size());
  others.resize(others.size() - hidden);
  if (hidden > 0) others.push_back(cat("and ", hidden, " more"));
  throw ConfigError(key, cat("ranks disagree; rank 0 has \"", first, "\", ", join(others, ", ")));
}

Outcome worst_of(const Communicator& comm, const Outcome& mine) {
  // What the other ranks see of a failure is not its cause.
  const auto severity = [](ExitCode code) -> std::int64_t {
    return code == ExitCode::done ? 0 : code == ExitCode::comm ? 1 : 2;
  };
  const std::int64_t worst = max_over(comm, severity(mine.code));
  if (worst == 0) return {};
  const std::int64_t candidate = severity(mine.code) == worst ? comm.rank() : comm.size();
  const int rank = static_cast<int>(min_over(comm, candidate));
  std::int64_t code = static_cast<std::int64_t>(mine.code);
  comm.broadcast(Tensor(&code, DType::i64, {1}), rank).wait();
  Outcome outcome;
  outcome.code = static_cast<ExitCode>(code);
  outcome.message = broadcast_text(comm, mine.message, rank);
  outcome.host = broadcast_text(comm, mine.host.empty() ? host_name() : mine.host, rank);
  std::int64_t place = mine.rank < 0 ? comm.rank() : mine.rank;
  comm.broadcast(Tensor(&place, DType::i64, {1}), rank).wait();
  outcome.rank = static_cast<int>(place);
  return outcome;
}

Outcome outcome_of_exception() {
  Outcome outcome;
  outcome.host = host_name();
  try {
    throw;
  } catch (const SharedError& error) {
    outcome = error.outcome;
  } catch (const Error& error) {
    outcome.code = error.code();
    outcome.message = error.what();
  } catch (const std::bad_alloc&) {
    outcome.code = ExitCode::internal;
    outcome.message = "out of host memory";
  } catch (const std::exception& error) {
    outcome.code = ExitCode::internal;
    outcome.message = error.what();
  } catch (...) {
    outcome.code = ExitCode::internal;
    outcome.message = "unknown exception";
  }
  return outcome;
}

Outcome try_together(const Communicator& comm, const std::function<void()>& body) {
  Outcome mine;
  try {
    body();
  } catch (...) {
    mine = outcome_of_exception();
  }
  return worst_of(comm, mine);
}

void do_together(const Communicator& comm, const std::function<void()>& body) {
  const Outcome outcome = try_together(comm, body);
  if (!outcome.good()) throw SharedError(outcome);
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "unknown host";
  return name;
}

}  // namespace wan
