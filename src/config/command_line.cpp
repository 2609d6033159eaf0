#include "config/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/version.hpp"

namespace wan {

namespace {

constexpr int most_values = 100000;

bool is_switch(const Field& field) {
  return std::holds_alternative<bool*>(field);
}

bool is_list(const Field& field) {
  return std::holds_alternative<std::vector<std::int64_t>*>(field) ||
         std::holds_alternative<std::vector<double>*>(field) ||
         std::holds_alternative<std::vector<std::string>*>(field);
}

bool is_text(const Field& field) {
  return std::holds_alternative<std::string*>(field) ||
         std::holds_alternative<std::optional<std::string>*>(field) ||
         std::holds_alternative<std::vector<std::string>*>(field);
}

// How a flag is called inside: `_` and `-` are the same.
std::string canonical(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

bool is_long_flag(const std::string& token) {
  return token.size() > 2 && token.compare(0, 2, "--") == 0;
}

}  // namespace

CommandLine::CommandLine(std::string program, std::string usage, std::string summary)
    : program_(std::move(program)), usage_(std::move(usage)), summary_(std::move(summary)) {}

CommandLine& CommandLine::add(Flag flag) {
  flag.initial = field_value(flag.field);
  flags_.push_back(std::move(flag));
  return *this;
}

CommandLine& CommandLine::required() {
  flags_.back().required = true;
  return *this;
}

CommandLine& CommandLine::ignore(const std::string& name, const std::string& why) {
  ignored_.push_back({name, why});
  return *this;
}

CommandLine& CommandLine::remaining(std::vector<std::string>& tokens) {
  remaining_ = &tokens;
  return *this;
}

CommandLine& CommandLine::epilogue(std::string text) {
  epilogue_ = std::move(text);
  return *this;
}

void CommandLine::assign_flag(const Flag& flag, const std::vector<std::string>& found) const {
  const bool quoted = is_text(flag.field);
  Value value;
  if (is_switch(flag.field)) {
    value.text = found.back();
  } else if (is_list(flag.field)) {
    value.is_list = true;
    for (const std::string& item : found) value.items.push_back({item, quoted, false, {}});
  } else {
    value = {found.back(), quoted, false, {}};
  }
  if (assign(flag.field, flag.range, value)) return;
  throw UsageError(
      cat("--", flag.name, ": found ", show(value), ", allowed: ", allowed_text(flag.field, flag.range)));
}

void CommandLine::complain_unknown(const std::string& token) const {
  if (token.size() < 2 || token.front() != '-') {
    throw UsageError("found '" + token.substr(0, 120) + "', which belongs to no flag; --help lists them");
  }
  std::vector<std::string> known = {"help", "version"};
  for (const Flag& flag : flags_) known.push_back(flag.name);
  const std::string name = token.substr(token[1] == '-' ? 2 : 1, 120);
  throw UsageError("unknown flag " + token.substr(0, 120) + "; the nearest is --" +
                   nearest(name.substr(0, name.find('=')), known));
}

std::string CommandLine::parse(const std::vector<std::string>& arguments, std::vector<std::string>& notices) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  CLI::Option* help_flag = app.add_flag("--help");
  CLI::Option* version_flag = app.add_flag("--version");
  std::vector<CLI::Option*> options;
  std::map<std::string, bool> takes_value;
  for (const Flag& flag : flags_) {
    const std::string name = canonical(flag.name);
    const bool lone = is_switch(flag.field);
    takes_value[name] = !lone;
    CLI::Option* option = lone ? app.add_flag("--" + name) : app.add_option("--" + name);
    if (!lone) option->expected(1, is_list(flag.field) ? most_values : 1);
    options.push_back(option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
  }
  std::vector<CLI::Option*> without_effect;
  for (const Ignored& flag : ignored_) {
    without_effect.push_back(app.add_option("--" + canonical(flag.name))->expected(0, 1));
    without_effect.back()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  // CLI11 reads its tokens from the back. A value after '=' becomes a token of its own, so that it may be
  // empty.
  std::vector<std::string> tokens;
  for (const std::string& token : arguments) {
    const std::size_t equals = is_long_flag(token) ? token.find('=') : std::string::npos;
    const std::string name = is_long_flag(token) ? canonical(token.substr(0, equals)) : token;
    if (equals != std::string::npos && takes_value.count(name.substr(2)) > 0 && takes_value[name.substr(2)]) {
      tokens.push_back(name);
      tokens.push_back(token.substr(equals + 1));
    } else {
      tokens.push_back(equals == std::string::npos ? name : name + token.substr(equals));
    }
  }
  std::reverse(tokens.begin(), tokens.end());
  try {
    app.parse(tokens);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (help_flag->count() > 0) return help();
  if (version_flag->count() > 0) return program_ + " " + version_text() + "\n";

  for (const std::string& token : app.remaining()) {
    const bool known_shape = remaining_ != nullptr && (token.empty() || token.front() != '-');
    if (!known_shape) complain_unknown(token);
    remaining_->push_back(token);
  }
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    if (options[i]->count() > 0) {
      assign_flag(flags_[i], options[i]->results());
    } else if (flags_[i].required) {
      throw UsageError("--" + flags_[i].name + " is missing: " + flags_[i].help);
    }
  }
  for (std::size_t i = 0; i < ignored_.size(); ++i) {
    if (without_effect[i]->count() > 0) {
      notices.push_back(cat("--", ignored_[i].name, " has no effect here: ", ignored_[i].why));
    }
  }
  return "";
}

std::string CommandLine::help() const {
  constexpr std::size_t width = 26;
  const auto padded = [](const std::string& text) {
    return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
  };
  std::string out =
      cat("usage: ", program_, " ", usage_, "\n\n", summary_, "\n\nflags ('-' and '_' are the same):\n");
  for (const Flag& flag : flags_) {
    out += cat("  ", padded("--" + flag.name), flag.unit.empty() ? "" : "[" + flag.unit + "] ", flag.help);
    if (flag.required) {
      out += " (required)";
    } else if (!is_switch(flag.field)) {
      out += cat(" (", allowed_text(flag.field, flag.range), "; default ", yaml_text(flag.initial), ")");
    }
    out += "\n";
  }
  out += cat("  ", padded("--help"), "this text\n  ", padded("--version"), "version and commit\n");
  if (!ignored_.empty()) out += "\naccepted, but without effect here:\n";
  for (const Ignored& flag : ignored_) out += cat("  ", padded("--" + flag.name), flag.why, "\n");
  return out + epilogue_;
}

}  // namespace wan
