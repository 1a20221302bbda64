#include <fmt/format.h>

#include "option_list.hpp"
#include "shell_files.hpp"
#include "version.hpp"

namespace sae {
namespace {

constexpr const char* kDescription = R"(.SH DESCRIPTION
.B sae_dist
trains stacked denoising autoencoders, and classifiers that begin as such, on one core, on all cores of a machine
or on the nodes of a cluster, with the same result up to rounding.
It applies trained models to data, and makes data sets of tables and arrays.
Every command runs as one process, under
.BR mpirun (1)
or under
.BR srun (1).
Without a command it trains.
.PP
A run leaves its models, checkpoints, log and a page to look at,
.IR report.html ,
in a folder. A run that was stopped goes on when the same command is given again with
.BR "\-\-resume auto" .
)";

constexpr const char* kEnd = R"(.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 64
Wrong options.
.TP
.B 65
Damaged or unsuitable input.
.TP
.B 66
Missing input.
.TP
.B 70
Internal or communication failure; a run can be resumed.
.TP
.B 73
Output that cannot be written, or a newer process took over the run's folder.
.TP
.B 75
Stopped cleanly; a run can be resumed.
.TP
.B 76
Training diverged; the last good checkpoint is kept.
.SH ENVIRONMENT
.TP
.B SAE_DATA
The data set where
.B \-\-data
is not given.
.SH FILES
.TP
.I share/sae_dist/mnist.h5
Below the prefix of the installation: the data set where neither
.BR \-\-data ,
.B SAE_DATA
nor
.I data/mnist.h5
is there.
.TP
.I share/sae_dist/slurm/
Batch scripts for Slurm.
.TP
.I share/sae_dist/cluster/launch.sh
Trains over a host file, without a batch system.
.SH EXAMPLES
.nf
mpirun \-np 4 sae_dist \-\-recipe quick \-\-run runs/quick
sae_dist import \-\-csv train.csv \-\-label species \-\-output my.h5
sae_dist \-\-data my.h5 \-\-units 64,16 \-\-run runs/my
sae_dist predict runs/my/best.h5 \-\-data my.h5 \-\-csv predictions.csv
.fi
.SH SEE ALSO
.BR mpirun (1),
.BR srun (1),
.BR sbatch (1)
)";

/// As roff shows it, wherever it stands in a line.
std::string roff(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '\'') {
      result += "\\(aq";
    } else {
      result += c;
    }
  }
  return result.starts_with('.') ? "\\&" + result : result;
}

std::string entry_of(const ListedOption& option) {
  std::string text = fmt::format(".TP\n\\fB\\-\\-{}\\fR", roff(option.name));
  if (!option.value.empty()) text += fmt::format(" \\fI{}\\fR", roff(option.value));
  text += fmt::format("\n{}", roff(option.help));
  if (!option.initial.empty()) text += fmt::format(" (default: {})", roff(option.initial));
  return text + "\n";
}

std::string section_of(const ListedCommand& command) {
  std::string text = fmt::format(".SS \"sae_dist {}\"\n{}.\n", command.name, roff(command.summary));
  std::string group;
  for (const ListedOption& option : command.options) {
    // Other commands share but few settings with train.
    if (command.name == "train" && option.group != group) {
      group = option.group;
      text += fmt::format(".PP\n{}:\n", roff(group));
    }
    text += entry_of(option);
  }
  return text;
}

}  // namespace

std::string manual_page() {
  std::string text = fmt::format(
      ".\\\" Written by 'sae_dist generate man'.\n"
      ".TH SAE_DIST 1 \"\" \"sae_dist {}\" \"User Commands\"\n"
      ".SH NAME\nsae_dist \\- train autoencoders on a laptop, a server or a cluster\n"
      ".SH SYNOPSIS\n.B sae_dist\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR]...\n.br\n"
      ".B mpirun\n\\fB\\-np\\fR \\fIN\\fR \\fBsae_dist\\fR [\\fICOMMAND\\fR] [\\fIOPTION\\fR]...\n",
      kVersion);
  text += kDescription;
  text +=
      ".SH COMMANDS\n"
      "The model, file or run that a command is about may stand without the name of its option.\n";
  for (const ListedCommand& command : listed_commands()) text += section_of(command);
  return text + kEnd;
}

}  // namespace sae
