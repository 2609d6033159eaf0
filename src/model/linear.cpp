#include "model/linear.hpp"

namespace wan {

Linear::Linear(const ParameterUnit& unit, LinearGroups groups)
    : w(unit.group_weight(groups.weight)),
      b(unit.group_weight(groups.bias)),
      dw(unit.group_gradient(groups.weight)),
      db(unit.group_gradient(groups.bias)) {}

void Linear::forward(const Walk& walk, const Tensor& x, const Tensor& y, Activation activation,
                     const Tensor& pre) const {
  walk.ops().linear_forward({x, w, b, activation, pre, y});
}

void Linear::backward_weight(const Walk& walk, const Tensor& dy, const Tensor& x) const {
  if (dw || db) walk.ops().linear_backward_weight({dy, x, dw, db});
}

void Linear::backward_data(const Walk& walk, const Tensor& dy, const Tensor& dx) const {
  walk.ops().linear_backward_data({dy, w, Activation::none, {}, false, dx});
}

void Linear::backward_data_add(const Walk& walk, const Tensor& dy, const Tensor& dx) const {
  walk.ops().linear_backward_data({dy, w, Activation::none, {}, true, dx});
}

void Linear::backward_data(const Walk& walk, const Tensor& dy, const Tensor& dx, Activation activation,
                           const Tensor& pre) const {
  walk.ops().linear_backward_data({dy, w, activation, pre, false, dx});
}

}  // namespace wan
