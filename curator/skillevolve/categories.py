"""The map from what a finding is about to the skill of the AI-Research-SKILLs library that it belongs to.

A table of words: what speaks of ZeRO-3 belongs to ``deepspeed``. Where nothing fits, a person names the skill.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the library."""

    name: str
    sessions: tuple[str, ...]
    """What sessions with its skills are about, the usual first; words of the session report's schema."""
    skills: dict[str, str]
    """Folders of skills, each with the other words that speak of it; a name in its SKILL.md may be one of them."""


LIBRARY = (
    Category(
        "Model Architecture",
        ("training", "configuration", "debugging"),
        {
            "litgpt": "implementing-llms-litgpt",
            "mamba": "mamba-architecture mamba2 mamba-2",
            "rwkv": "rwkv-architecture",
            "nanogpt": "",
            "torchtitan": "distributed-llm-pretraining-torchtitan",
        },
    ),
    Category(
        "Tokenization",
        ("configuration", "optimization", "integration"),
        {"huggingface-tokenizers": "tokenizer tokenizers", "sentencepiece": ""},
    ),
    Category(
        "Fine-Tuning",
        ("training", "configuration", "optimization"),
        {"axolotl": "", "llama-factory": "llamafactory", "unsloth": "", "peft": "peft-fine-tuning lora qlora"},
    ),
    Category(
        "Mechanistic Interpretability",
        ("debugging", "testing", "documentation"),
        {
            "transformer-lens": "transformer-lens-interpretability transformerlens",
            "saelens": "sparse-autoencoder-training",
            "nnsight": "nnsight-remote-interpretability",
            "pyvene": "pyvene-interventions",
        },
    ),
    Category(
        "Data Processing",
        ("optimization", "configuration", "deployment"),
        {"ray-data": "ray.data", "nemo-curator": "minhash"},
    ),
    Category(
        "Post-Training",
        ("training", "optimization", "debugging"),
        {"grpo-rl-training": "grpo", "trl-fine-tuning": "fine-tuning-with-trl trl dpo", "openrlhf": "", "simpo": ""},
    ),
    Category(
        "Safety",
        ("configuration", "testing", "integration"),
        {"constitutional-ai": "", "llamaguard": "", "nemo-guardrails": "", "prompt-guard": ""},
    ),
    Category(
        "Distributed Training",
        ("training", "configuration", "debugging", "optimization"),
        {
            "megatron-core": "training-llms-megatron megatron",
            "deepspeed": "zero-2 zero-3",
            "pytorch-fsdp2": "fsdp fsdp2",
            "accelerate": "huggingface-accelerate",
            "pytorch-lightning": "",
            "ray-train": "ray.train",
        },
    ),
    Category(
        "Infrastructure",
        ("deployment", "configuration", "optimization"),
        {"modal": "modal-serverless-gpu", "skypilot": "", "lambda-labs": ""},
    ),
    Category(
        "Optimization",
        ("optimization", "deployment", "testing"),
        {
            "flash-attention": "optimizing-attention-flash flash-attn flashattention flash_attention splash_attention",
            "bitsandbytes": "quantizing-models-bitsandbytes",
            "gptq": "gptq-quantization",
            "awq": "awq-quantization",
            "hqq": "hqq-quantization",
            "gguf": "gguf-quantization",
        },
    ),
    Category(
        "Evaluation",
        ("testing", "configuration"),
        {
            "lm-evaluation-harness": "evaluating-llms-harness lm-eval lm-eval-harness lm_eval",
            "bigcode-evaluation-harness": "evaluating-code-models bigcode",
            "nemo-evaluator": "",
        },
    ),
    Category(
        "Inference",
        ("deployment", "inference", "optimization"),
        {"vllm": "serving-llms-vllm", "tensorrt-llm": "", "llama-cpp": "llama.cpp", "sglang": ""},
    ),
    Category(
        "MLOps",
        ("configuration", "integration", "deployment"),
        {"weights-and-biases": "wandb", "mlflow": "", "tensorboard": ""},
    ),
    Category(
        "Agents",
        ("integration", "deployment", "debugging"),
        {"langchain": "", "llamaindex": "", "crewai": "", "autogpt": ""},
    ),
    Category(
        "RAG",
        ("configuration", "optimization", "integration"),
        {"chroma": "chromadb", "faiss": "", "sentence-transformers": "", "pinecone": "", "qdrant": ""},
    ),
    Category(
        "Prompt Engineering",
        ("configuration", "optimization", "integration"),
        {"dspy": "", "instructor": "", "guidance": "", "outlines": ""},
    ),
    Category("Observability", ("configuration", "integration", "debugging"), {"langsmith": "", "phoenix": ""}),
    Category(
        "Multimodal",
        ("inference", "integration", "optimization"),
        {
            "clip": "",
            "whisper": "",
            "llava": "",
            "stable-diffusion": "",
            "segment-anything": "",
            "blip-2": "blip2",
            "audiocraft": "",
        },
    ),
    Category(
        "Emerging Techniques",
        ("training", "optimization", "testing"),
        {
            "moe-training": "moe mixture-of-experts",
            "model-merging": "slerp",
            "long-context": "yarn",
            "speculative-decoding": "",
            "knowledge-distillation": "distillation",
            "model-pruning": "pruning",
        },
    ),
    Category("ML Paper Writing", ("documentation", "other"), {"ml-paper-writing": "latex"}),
)
_TELLS_NOTHING = frozenset(
    {"clip", "phoenix", "guidance", "instructor", "outlines", "modal", "wandb", "accelerate", "tensorboard"}
)
"""Words that a finding about something else uses too: gradients are clipped, every run has W&B."""


def skill_in(text: str) -> str | None:
    """The skill that a text speaks of most, the first one of equals; None when it speaks of none."""
    counts: dict[str, int] = {}
    for word in re.findall(r"[a-z0-9][\w.-]*[a-z0-9]", text.lower()):
        skill = _skills_by_word().get(word)
        if skill is not None:
            counts[skill] = counts.get(skill, 0) + 1
    return max(counts, key=counts.__getitem__, default=None)


def category_of(skill: str) -> Category | None:
    """The shelf of a skill, by any of its names."""
    folder = _folders_by_name().get(skill.lower())
    return next((category for category in LIBRARY if folder in category.skills), None)


def names_of(skill: str) -> frozenset[str]:
    """Every name that a skill goes by."""
    folder = _folders_by_name().get(skill.lower(), skill.lower())
    return frozenset(name for name, other in _folders_by_name().items() if other == folder) | {skill.lower()}


@cache
def _folders_by_name() -> dict[str, str]:
    return {
        name: folder
        for category in LIBRARY
        for folder, others in category.skills.items()
        for name in (folder, *others.split())
    }


@cache
def _skills_by_word() -> dict[str, str]:
    return {word: folder for word, folder in _folders_by_name().items() if word not in _TELLS_NOTHING}
