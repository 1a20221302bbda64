// Breaks no rule.
#pragma once
