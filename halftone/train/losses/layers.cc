#include "halftone/train/losses/layers.h"

#include <fmt/ranges.h>

namespace halftone::train {

LayerLoss::LayerLoss(ptq::StepWords& words) : student_(words.pattern("student")), teacher_(words.pattern("teacher")) {
  if (student_ == "*") {
    fail(ErrorCode::InvalidArgument, "loss", "losses of layers need \"student\": the name of a value of the network");
  }
  if (teacher_ == "*") teacher_ = student_;
}

void LayerLoss::check_planes(const at::Tensor& student, const at::Tensor& teacher) const {
  if (student.dim() == teacher.dim() && student.dim() >= 2 && student.sizes().slice(2) == teacher.sizes().slice(2))
    return;
  fail(ErrorCode::InvalidArgument, "loss",
       "'{}' of the student is [{}], '{}' of the teacher [{}]: their planes must match", student_,
       fmt::join(student.sizes(), ", "), teacher_, fmt::join(teacher.sizes(), ", "));
}

}  // namespace halftone::train
