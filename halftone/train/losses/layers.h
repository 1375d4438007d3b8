// Losses that compare results of two networks' layers.
#pragma once

#include "halftone/ptq/step.h"
#include "halftone/train/loss.h"

namespace halftone::train {

// One layer of each; words "student" and "teacher" name the values, the teacher's like the student's unless given.
class LayerLoss : public Loss {
 public:
  explicit LayerLoss(ptq::StepWords& words);
  std::vector<std::pair<std::string, std::string>> features() const override { return {{student_, teacher_}}; }

 protected:
  const at::Tensor& student(const LossCall& call) const { return call.student.features.at(student_); }
  at::Tensor teacher(const LossCall& call) const { return call.teacher->features.at(teacher_).detach(); }
  // Errors: Error{InvalidArgument} naming both layers, where their planes differ in size or in number of dimensions.
  void check_planes(const at::Tensor& student, const at::Tensor& teacher) const;

 private:
  std::string student_, teacher_;
};

}  // namespace halftone::train
