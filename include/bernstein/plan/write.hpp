#pragma once
// A plan as the text of a plan.yaml: what a person can read, change and run.
//
//     std::string text = write_plan(plan);
//     parse_plan(text, {})     the same plan, without its warnings
//
// For every plan that parse_plan accepts, its text is read back as the same plan: name, description, settings, stages
// and tasks. Two things differ. A step that another one waits for gets an id when it has none ("t3", as its task is
// called), which is its `key` from then on. And signals of type `gate` are not in a plan, so they are not in its text.
//
// Block style, two spaces, keys in the order of docs/plan.md; what has its default is left out, but for the timeout of
// a command, whose default is bernstein.yaml's. Texts of several lines are literal blocks where that keeps every byte,
// else they stand in double quotes on one line. The same plan has the same text everywhere.
//
// Requires what the reader guarantees: tasks t1, t2, ... in the order of their stages, and texts in UTF-8 without NUL.

#include <string>

#include "bernstein/plan/plan.hpp"

namespace bernstein::plan {

std::string write_plan(const Plan& plan);

}  // namespace bernstein::plan
