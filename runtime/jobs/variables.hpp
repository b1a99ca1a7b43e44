// The environment of executions as people write it: variables, and secrets by reference. A secret's value is
// in no file of ours and on no command line; what is read here says where the agent's process finds it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/jobs/key_table.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// A map from name to text, or a list of "NAME=VALUE".
std::vector<EnvVariable> read_variables(KeyReader& reader, const Value& value);
/// Secrets of an agent: a map from name to {env: OTHER}, {file: PATH} or nothing (the variable of that name);
/// or a list of "NAME", "NAME=OTHER" and "NAME=@FILE".
std::vector<SecretSource> read_secret_sources(KeyReader& reader, const Value& value);
/// Secrets that a task requires: a list of names.
std::vector<std::string> read_secret_names(KeyReader& reader, const Value& value);

/// "NAME=VALUE". Errors: invalid.
Result<EnvVariable> parse_variable(std::string_view text);
/// The lines of a dotenv file: NAME=VALUE, perhaps after `export`; a value may be in quotes ('as it is', or
/// "with \n and \"") and goes over several lines there; # begins a comment. Nothing is expanded. Errors:
/// invalid, beginning with the number of the line.
Result<std::vector<EnvVariable>> parse_dotenv(std::string_view text);

Value to_value(const std::vector<EnvVariable>& variables);
Value to_value(const std::vector<SecretSource>& secrets);

/// Makes the paths that the agent was described with (dir, env_file, files of secrets) independent of the
/// working directory: they are relative to `folder`.
void resolve_paths(PlannedAgent& agent, const std::string& folder);

}  // namespace bidboard
