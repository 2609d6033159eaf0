#include "weights/torch/pickle.hpp"

#include <array>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

constexpr int protocol = 2;

constexpr const char* ordered_dict = "collections OrderedDict";
constexpr const char* rebuild_tensor = "torch._utils _rebuild_tensor_v2";
constexpr const char* rebuild_parameter = "torch._utils _rebuild_parameter";
constexpr std::array<std::pair<const char*, DType>, 7> storages = {{{"torch FloatStorage", DType::f32},
                                                                    {"torch BFloat16Storage", DType::bf16},
                                                                    {"torch HalfStorage", DType::f16},
                                                                    {"torch DoubleStorage", DType::f64},
                                                                    {"torch LongStorage", DType::i64},
                                                                    {"torch IntStorage", DType::i32},
                                                                    {"torch ByteStorage", DType::u8}}};

std::optional<DType> storage_dtype(const std::string& global) {
  for (const auto& [name, dtype] : storages) {
    if (global == name) return dtype;
  }
  return std::nullopt;
}

bool is_known(const std::string& global) {
  return global == ordered_dict || global == rebuild_tensor || global == rebuild_parameter ||
         storage_dtype(global).has_value();
}

/// Values refer to each other by number, so that one that holds itself, or a million of them inside each
/// other, are nothing special.
using Id = std::size_t;

struct Value {
  enum class Kind { none, boolean, integer, text, tuple, dict, global, storage, tensor };
  Kind kind = Kind::none;
  std::int64_t integer = 0;  ///< also: number of a storage or tensor
  std::string text;          ///< also: a global, "module name"
  std::vector<Id> items;     ///< of a dict: key, value, key, value
};

const char* name_of_kind(Value::Kind kind) {
  constexpr const char* names[] = {"None",         "a bool",   "a number",  "a text",  "a tuple",
                                   "a dictionary", "a global", "a storage", "a tensor"};
  return names[static_cast<int>(kind)];
}

class Reader {
 public:
  Reader(std::string_view pickle, std::string path) : bytes_(pickle), path_(std::move(path)) {}

  std::vector<PickledTensor> read();

 private:
  using Kind = Value::Kind;

  [[noreturn]] void refuse(const std::string& message) const {
    throw DataError(path_, cat("data.pkl byte ", opcode_at_, ": ", message));
  }

  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - at_) refuse("the pickle is cut short");
    const std::string_view out = bytes_.substr(at_, count);
    at_ += count;
    return out;
  }
  std::uint64_t number(int width) {
    const std::string_view raw = take(static_cast<std::size_t>(width));
    std::uint64_t out = 0;
    for (int i = width - 1; i >= 0; --i) {
      out = (out << 8) | static_cast<unsigned char>(raw[static_cast<std::size_t>(i)]);
    }
    return out;
  }
  std::string line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("the pickle is cut short");
    std::string out(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return out;
  }

  void push(Value value) {
    values_.push_back(std::move(value));
    stack_.push_back(values_.size() - 1);
  }
  void push_integer(std::int64_t value) { push({Kind::integer, value, {}, {}}); }
  void push_boolean(bool value) { push({Kind::boolean, value ? 1 : 0, {}, {}}); }
  /// Values below the last mark belong to an outer one.
  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Id pop() {
    if (stack_.size() <= floor()) refuse("a value is taken from an empty stack");
    const Id out = stack_.back();
    stack_.pop_back();
    return out;
  }
  Id top() {
    if (stack_.size() <= floor()) refuse("a value is looked for on an empty stack");
    return stack_.back();
  }
  std::vector<Id> pop_to_mark() {
    if (marks_.empty()) refuse("there is no mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Id> out(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return out;
  }
  const Value& expect(Id id, Kind kind, const char* what) const {
    const Value& value = values_[id];
    if (value.kind != kind) {
      refuse(cat(what, " is ", name_of_kind(value.kind), ", allowed: ", name_of_kind(kind)));
    }
    return value;
  }
  std::int64_t count_of(Id id, const char* what) const {
    const std::int64_t value = expect(id, Kind::integer, what).integer;
    if (value < 0) refuse(cat(what, " is ", value, ", allowed: 0 or more"));
    return value;
  }

  void step(unsigned char opcode);
  void push_tuple(std::size_t count);
  void push_long();
  void push_global();
  void push_storage();
  void add_items(const std::vector<Id>& items);
  void build();
  void reduce();
  void remember(std::uint64_t key) { memo_[key] = top(); }
  void recall(std::uint64_t key);
  PickledTensor tensor_from(const std::vector<Id>& arguments) const;
  void require_inside(const PickledTensor& tensor) const;
  std::vector<PickledTensor> state_dict() const;

  std::string_view bytes_;
  std::string path_;
  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;
  std::vector<Value> values_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Id> memo_;
  std::vector<PickledTensor>
      tensors_;  ///< what storages and tensors are; of a storage the first three members
};

std::vector<PickledTensor> Reader::read() {
  for (;;) {
    opcode_at_ = at_;
    const auto opcode = static_cast<unsigned char>(take(1).front());
    if (opcode == '.') return state_dict();
    step(opcode);
  }
}

// Opcodes as CPython's pickletools names them.
void Reader::step(unsigned char opcode) {
  switch (opcode) {
    case 0x80:  // PROTO
      if (const std::uint64_t found = number(1); found != protocol)
        refuse(cat("pickle protocol ", found, ", allowed: ", protocol, ", torch.save's own"));
      return;
    case '}':  // EMPTY_DICT
      return push({Kind::dict, 0, {}, {}});
    case ')':  // EMPTY_TUPLE
      return push_tuple(0);
    case '(':  // MARK
      return marks_.push_back(stack_.size());
    case 't': {  // TUPLE
      std::vector<Id> items = pop_to_mark();
      return push({Kind::tuple, 0, {}, std::move(items)});
    }
    case 0x85:  // TUPLE1
      return push_tuple(1);
    case 0x86:  // TUPLE2
      return push_tuple(2);
    case 0x87:  // TUPLE3
      return push_tuple(3);
    case 'X': {  // BINUNICODE
      const std::uint64_t length = number(4);
      return push({Kind::text, 0, std::string(take(static_cast<std::size_t>(length))), {}});
    }
    case 'N':  // NONE
      return push({});
    case 0x88:  // NEWTRUE
      return push_boolean(true);
    case 0x89:  // NEWFALSE
      return push_boolean(false);
    case 'J':  // BININT
      return push_integer(static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4))));
    case 'K':  // BININT1
      return push_integer(static_cast<std::int64_t>(number(1)));
    case 'M':  // BININT2
      return push_integer(static_cast<std::int64_t>(number(2)));
    case 0x8a:  // LONG1
      return push_long();
    case 'c':  // GLOBAL
      return push_global();
    case 'Q':  // BINPERSID
      return push_storage();
    case 'R':  // REDUCE
      return reduce();
    case 's': {  // SETITEM
      const Id value = pop();
      const Id key = pop();
      return add_items({key, value});
    }
    case 'u':  // SETITEMS
      return add_items(pop_to_mark());
    case 'b':  // BUILD
      return build();
    case 'q':  // BINPUT
      return remember(number(1));
    case 'r':  // LONG_BINPUT
      return remember(number(4));
    case 'h':  // BINGET
      return recall(number(1));
    case 'j':  // LONG_BINGET
      return recall(number(4));
    default:
      break;
  }
  constexpr const char* digits = "0123456789abcdef";
  refuse(
      cat("opcode 0x", digits[opcode >> 4], digits[opcode & 15], " has no place in a state dict of tensors"));
}

void Reader::push_tuple(std::size_t count) {
  std::vector<Id> items(count);
  for (std::size_t i = count; i > 0; --i) items[i - 1] = pop();
  push({Kind::tuple, 0, {}, std::move(items)});
}

/// Two's complement of any length, little-endian; what 64 bits hold.
void Reader::push_long() {
  const auto length = static_cast<int>(number(1));
  if (length > 8) refuse(cat("a number of ", length, " bytes, allowed: 8"));
  std::uint64_t bits = number(length);
  if (length > 0 && length < 8 && (bits >> (8 * length - 1)) != 0) bits |= ~std::uint64_t{0} << (8 * length);
  push_integer(static_cast<std::int64_t>(bits));
}

void Reader::push_global() {
  const std::string module = line();
  std::string global = cat(module, " ", line());
  if (!is_known(global)) {
    refuse(cat("global '", global.substr(0, 100), "' has no place in a state dict of tensors; allowed: ",
               ordered_dict, ", ", rebuild_tensor, ", ", rebuild_parameter, ", torch's storages"));
  }
  push({Kind::global, 0, std::move(global), {}});
}

/// ("storage", torch.FloatStorage, key, device, elements).
void Reader::push_storage() {
  const Value& tuple = expect(pop(), Kind::tuple, "a persistent id");
  if (tuple.items.size() != 5) refuse(cat("a persistent id of ", tuple.items.size(), " parts, allowed: 5"));
  if (const Value& tag = expect(tuple.items[0], Kind::text, "a persistent id's first part");
      tag.text != "storage")
    refuse(cat("a persistent id of '", tag.text.substr(0, 100), "', allowed: 'storage'"));
  const Value& type = expect(tuple.items[1], Kind::global, "a storage's type");
  const std::optional<DType> dtype = storage_dtype(type.text);
  if (!dtype) refuse(cat("'", type.text, "' is no storage"));
  PickledTensor storage;
  storage.dtype = *dtype;
  storage.storage = expect(tuple.items[2], Kind::text, "a storage's key").text;
  storage.storage_elements = count_of(tuple.items[4], "a storage's length");
  tensors_.push_back(std::move(storage));
  push({Kind::storage, static_cast<std::int64_t>(tensors_.size()) - 1, {}, {}});
}

void Reader::add_items(const std::vector<Id>& items) {
  const Id dict = top();
  expect(dict, Kind::dict, "what items are added to");
  if (items.size() % 2 != 0) refuse("a key without a value");
  values_[dict].items.insert(values_[dict].items.end(), items.begin(), items.end());
}

/// Attributes of a dictionary (`_metadata`) say nothing about its tensors.
void Reader::build() {
  pop();
  expect(top(), Kind::dict, "what attributes are set of");
}

void Reader::reduce() {
  const Value& arguments = expect(pop(), Kind::tuple, "the arguments of a call");
  const Value& callee = expect(pop(), Kind::global, "what is called");
  if (callee.text == ordered_dict) {
    if (!arguments.items.empty()) refuse("an OrderedDict made of something, allowed: an empty one");
    return push({Kind::dict, 0, {}, {}});
  }
  if (callee.text == rebuild_parameter) {
    if (arguments.items.empty()) refuse("_rebuild_parameter without arguments");
    expect(arguments.items[0], Kind::tensor, "what a parameter is made of");
    return stack_.push_back(arguments.items[0]);
  }
  if (callee.text != rebuild_tensor) refuse(cat("'", callee.text, "' is no function"));
  tensors_.push_back(tensor_from(arguments.items));
  push({Kind::tensor, static_cast<std::int64_t>(tensors_.size()) - 1, {}, {}});
}

/// (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]).
PickledTensor Reader::tensor_from(const std::vector<Id>& arguments) const {
  if (arguments.size() < 4) refuse(cat("a tensor of ", arguments.size(), " arguments, allowed: 4 or more"));
  const Value& storage = expect(arguments[0], Kind::storage, "a tensor's storage");
  PickledTensor out = tensors_[static_cast<std::size_t>(storage.integer)];
  out.offset = count_of(arguments[1], "a tensor's offset");
  const std::vector<Id>& extents = expect(arguments[2], Kind::tuple, "a tensor's size").items;
  const std::vector<Id>& strides = expect(arguments[3], Kind::tuple, "a tensor's stride").items;
  if (extents.size() > Shape::max_rank || extents.size() != strides.size()) {
    refuse(cat("a tensor of ", extents.size(), " extents and ", strides.size(),
               " strides, allowed: as many, at most ", Shape::max_rank));
  }
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    out.shape.append(count_of(extents[axis], "an extent"));
    out.strides.push_back(count_of(strides[axis], "a stride"));
  }
  require_inside(out);
  return out;
}

void Reader::require_inside(const PickledTensor& tensor) const {
  std::int64_t last = tensor.offset;
  std::int64_t elements = 1;
  bool fits = true;
  for (int axis = 0; axis < tensor.shape.rank(); ++axis) {
    std::int64_t reach = 0;
    const std::int64_t extent = tensor.shape[axis];
    fits = fits && !__builtin_mul_overflow(elements, extent, &elements) &&
           !__builtin_mul_overflow(extent == 0 ? 0 : extent - 1,
                                   tensor.strides[static_cast<std::size_t>(axis)], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (fits && (elements == 0 || last < tensor.storage_elements)) return;
  refuse(cat("a tensor of shape ", tensor.shape.text(), " from element ", tensor.offset,
             " on reaches past its storage of ", tensor.storage_elements));
}

void Reader::recall(std::uint64_t key) {
  const auto at = memo_.find(key);
  if (at == memo_.end()) refuse(cat("value ", key, " is recalled, but was never remembered"));
  stack_.push_back(at->second);
}

std::vector<PickledTensor> Reader::state_dict() const {
  if (stack_.size() != 1 || !marks_.empty()) refuse(cat("ends with ", stack_.size(), " values, allowed: 1"));
  const std::vector<Id>& items = expect(stack_.back(), Kind::dict, "what the file holds").items;
  std::vector<PickledTensor> out;
  std::set<std::string> names;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const std::string& name = expect(items[i], Kind::text, "a key of the state dict").text;
    const Value& value = values_[items[i + 1]];
    const std::string shown = name.substr(0, 100);
    if (value.kind != Kind::tensor) {
      refuse(cat("'", shown, "' is ", name_of_kind(value.kind), ", allowed: tensors"));
    }
    if (!names.insert(name).second) refuse(cat("'", shown, "' is there twice"));
    out.push_back(tensors_[static_cast<std::size_t>(value.integer)]);
    out.back().name = name;
  }
  return out;
}

}  // namespace

std::vector<PickledTensor> parse_state_dict(std::string_view pickle, const std::string& path) {
  return Reader(pickle, path).read();
}

}  // namespace wan
