"""A BERT and a DistilBERT of random weights, and the mean of their last layer.

Writes encoder/bert and encoder/distilbert (config.json, tokenizer.json,
model.safetensors) and encoder.json. Run where torch, transformers and
tokenizers are installed:

    python encoder.py
"""
import json, pathlib

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

HERE = pathlib.Path(__file__).parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "not", "a", "##ly", "great", "."]
TEXTS = ["Good film.", "not a bad film", "greatly unknown", "a", "good good good good good good good bad."]
LONGEST = 8

tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer()
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
tokenizer.enable_truncation(LONGEST)
tokenizer.enable_padding()

torch.manual_seed(5)
bodies = {
    "bert": BertModel(BertConfig(vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                                 intermediate_size=12, max_position_embeddings=16), add_pooling_layer=False),
    "distilbert": DistilBertModel(DistilBertConfig(vocab_size=len(WORDS), dim=8, n_layers=2, n_heads=2, hidden_dim=12,
                                                   max_position_embeddings=16)),
}
found = {}
for name, body in bodies.items():
    with torch.no_grad():
        for p in body.parameters():
            p.copy_(torch.randn_like(p) * 0.4 + (p.dim() == 1) * 0.3)
    body.eval()
    folder = HERE / "encoder" / name
    folder.mkdir(parents=True, exist_ok=True)
    body.save_pretrained(folder, safe_serialization=True)
    if name == "distilbert":
        # candle's DistilBERT takes the tanh form of GELU for `gelu`.
        for layer in body.transformer.layer:
            layer.ffn.activation = torch.nn.GELU(approximate="tanh")
    tokenizer.save(str(folder / "tokenizer.json"))
    encoded = tokenizer.encode_batch(TEXTS)
    ids = torch.tensor([e.ids for e in encoded])
    mask = torch.tensor([e.attention_mask for e in encoded])
    with torch.no_grad():
        last = body(input_ids=ids, attention_mask=mask).last_hidden_state
    weight = mask.unsqueeze(2).float()
    found[name] = ((last * weight).sum(1) / weight.sum(1)).tolist()
(HERE / "encoder.json").write_text(json.dumps({"texts": TEXTS, "longest": LONGEST, "means": found}, indent=1) + "\n")
