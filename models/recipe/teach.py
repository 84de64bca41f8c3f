"""Stage 1: the sentence encoder (all-MiniLM-L6-v2) learns to read and stays an encoder. Its states teach the student.

teach.py --teacher FOLDER --tokenizer FOLDER/tokenizer.json --out teacher.pt --lengths 64:1,96:1,128:1 ...
Its embedding table stays as it is, so that the student's, which is made from it, fits it.
"""
import torch.nn as nn
from transformers import BertModel

import joint


class Trunk(nn.Module):
    """The encoder as joint.py calls a trunk; dropout off."""

    def __init__(self, folder):
        super().__init__()
        # PyTorch's fused attention has a slow backward pass on a CPU.
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")
        self.bert.embeddings.requires_grad_(False)
        for m in self.modules():
            if isinstance(m, nn.Dropout):
                m.p = 0.0

    def forward(self, ids, mask, types=None):
        types = ids * 0 if types is None else types
        return self.bert(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state


class Teacher(nn.Module):
    """The encoder with the heads of a reader."""

    def __init__(self, folder):
        super().__init__()
        self.trunk = Trunk(folder)
        H = self.trunk.bert.config.hidden_size
        self.span, self.relevance = nn.Linear(H, 2), nn.Linear(H, 1)
        for m in (self.span, self.relevance):
            nn.init.normal_(m.weight, std=0.02)
            nn.init.zeros_(m.bias)


if __name__ == "__main__":
    a = joint.arguments(__doc__).parse_args()
    joint.train(a, lambda rng: Teacher(a.teacher))
