using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Tests.Agents;

/// <summary>An answer as a server sent it, shortened, and what it says.</summary>
/// <param name="Usage"><c>input+output model</c>.</param>
internal sealed record AnswerShape(string Server, string Body, string Text, string? Finish, string? Usage);

/// <summary>An error that came with the status 200.</summary>
internal sealed record ErrorShape(string Server, string Body, ErrorClass Class, string Words);

internal static class ChatShapes
{
    public static readonly AnswerShape[] Answers =
    [
        new(
            "OpenAI",
            """
            data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_50","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x9"}

            data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"Grüß 😀"},"logprobs":null,"finish_reason":null}],"usage":null}

            data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}

            data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0}}}

            data: [DONE]


            """,
            "Grüß 😀", "stop", "19+10 gpt-4o-2024-08-06"),
        new(
            "OpenAI, at its limit of tokens",
            """
            data: {"choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}

            data: [DONE]


            """,
            "half", "length", null),
        new(
            "OpenAI, refusing",
            """
            data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":"I'm sorry, "},"finish_reason":null}]}

            data: {"choices":[{"index":0,"delta":{"refusal":"I cannot help."},"finish_reason":null}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

            data: [DONE]


            """,
            "I'm sorry, I cannot help.", "refusal", null),
        new(
            "Azure OpenAI with content filters",
            """
            data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"filtered":false,"detected":false}}}]}

            data: {"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1741569952,"id":"chatcmpl-2","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk","system_fingerprint":"fp_b7"}

            data: {"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"Hi"},"finish_reason":null,"index":0,"logprobs":null}],"created":1741569952,"id":"chatcmpl-2","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk"}

            data: {"choices":[{"content_filter_offsets":{"check_offset":35,"start_offset":35,"end_offset":76},"content_filter_results":{"violence":{"filtered":false,"severity":"safe"}},"finish_reason":null,"index":0}],"created":0,"id":"","model":"","object":""}

            data: {"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0,"logprobs":null}],"created":1741569952,"id":"chatcmpl-2","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk"}

            data: {"choices":[],"created":1741569952,"id":"chatcmpl-2","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk","usage":{"completion_tokens":2,"prompt_tokens":8,"total_tokens":10}}

            data: [DONE]


            """,
            "Hi", "stop", "8+2 gpt-4o-2024-11-20"),
        new(
            "vLLM with running usage and a reasoning parser",
            """
            data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1757714116,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":9,"total_tokens":9,"completion_tokens":0}}

            data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1757714116,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"reasoning_content":"Let me think."},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":9,"total_tokens":13,"completion_tokens":4}}

            data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1757714116,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":"Four."},"logprobs":null,"finish_reason":"stop","stop_reason":151645,"token_ids":null}],"usage":{"prompt_tokens":9,"total_tokens":15,"completion_tokens":6}}

            data: [DONE]


            """,
            "Four.", "stop", "9+6 Qwen/Qwen3-8B"),
        new(
            "Ollama",
            """
            data: {"id":"chatcmpl-4","object":"chat.completion.chunk","created":1730000000,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}

            data: {"id":"chatcmpl-4","object":"chat.completion.chunk","created":1730000000,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}

            data: {"id":"chatcmpl-4","object":"chat.completion.chunk","created":1730000000,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[],"usage":{"prompt_tokens":26,"completion_tokens":2,"total_tokens":28}}

            data: [DONE]


            """,
            "Hi", "stop", "26+2 llama3.2"),
        new(
            "llama.cpp",
            """
            data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1758108431,"id":"chatcmpl-Ca3","model":"gemma-3-1b","system_fingerprint":"b6497-cd08fc3e","object":"chat.completion.chunk"}

            data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Hi"}}],"created":1758108431,"id":"chatcmpl-Ca3","model":"gemma-3-1b","system_fingerprint":"b6497-cd08fc3e","object":"chat.completion.chunk"}

            data: {"choices":[{"finish_reason":"length","index":0,"delta":{}}],"created":1758108431,"id":"chatcmpl-Ca3","model":"gemma-3-1b","system_fingerprint":"b6497-cd08fc3e","object":"chat.completion.chunk"}

            data: {"choices":[],"created":1758108431,"id":"chatcmpl-Ca3","model":"gemma-3-1b","system_fingerprint":"b6497-cd08fc3e","object":"chat.completion.chunk","usage":{"completion_tokens":31,"prompt_tokens":75,"total_tokens":106},"timings":{"cache_n":0,"prompt_n":75,"prompt_ms":180.025,"predicted_n":31}}

            data: [DONE]


            """,
            "Hi", "length", "75+31 gemma-3-1b"),
        new(
            "LM Studio, a fingerprint for each chunk and no usage",
            """
            data: {"id":"chatcmpl-5","object":"chat.completion.chunk","created":1746707721,"model":"qwen3-30b","system_fingerprint":"qwen3-30b","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"logprobs":null,"finish_reason":null}]}

            data: {"id":"chatcmpl-5","object":"chat.completion.chunk","created":1746707721,"model":"qwen3-30b","system_fingerprint":"qwen3-30b","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}

            data: [DONE]


            """,
            "Hi", "stop", null),
        new(
            "Groq",
            """
            data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1716131679,"model":"llama3-8b-8192","system_fingerprint":"fp_179b0f92c9","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"x_groq":{"id":"req_01"}}

            data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1716131679,"model":"llama3-8b-8192","system_fingerprint":"fp_179b0f92c9","choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}]}

            data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1716131679,"model":"llama3-8b-8192","system_fingerprint":"fp_179b0f92c9","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_01","usage":{"queue_time":0.07535312,"prompt_tokens":23,"prompt_time":0.006,"completion_tokens":19,"completion_time":0.022,"total_tokens":42,"total_time":0.028}}}

            data: [DONE]


            """,
            "Hi", "stop", "23+19 llama3-8b-8192"),
        new(
            "DeepSeek, thinking, with comments to stay alive",
            """
            : keep-alive

            : keep-alive

            data: {"id":"7","object":"chat.completion.chunk","created":1737000000,"model":"deepseek-reasoner","system_fingerprint":"fp_7e","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":""},"logprobs":null,"finish_reason":null}]}

            data: {"id":"7","object":"chat.completion.chunk","created":1737000000,"model":"deepseek-reasoner","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"Hmm"},"logprobs":null,"finish_reason":null}]}

            data: {"id":"7","object":"chat.completion.chunk","created":1737000000,"model":"deepseek-reasoner","choices":[{"index":0,"delta":{"content":"Paris","reasoning_content":null},"logprobs":null,"finish_reason":null}]}

            data: {"id":"7","object":"chat.completion.chunk","created":1737000000,"model":"deepseek-reasoner","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":180,"total_tokens":191,"completion_tokens_details":{"reasoning_tokens":170},"prompt_cache_hit_tokens":0}}

            data: [DONE]


            """,
            "Paris", "stop", "11+180 deepseek-reasoner"),
        new(
            "Mistral, thinking in parts of the content, at the model's length",
            """
            data: {"id":"8","object":"chat.completion.chunk","created":1750000000,"model":"magistral-small-latest","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"p":"abc"}

            data: {"id":"8","object":"chat.completion.chunk","created":1750000000,"model":"magistral-small-latest","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Okay"}]}]},"finish_reason":null}]}

            data: {"id":"8","object":"chat.completion.chunk","created":1750000000,"model":"magistral-small-latest","choices":[{"index":0,"delta":{"content":[{"type":"text","text":"It is "}]},"finish_reason":null}]}

            data: {"id":"8","object":"chat.completion.chunk","created":1750000000,"model":"magistral-small-latest","choices":[{"index":0,"delta":{"content":"four"},"finish_reason":"model_length"}],"usage":{"prompt_tokens":10,"total_tokens":60,"completion_tokens":50}}

            data: [DONE]


            """,
            "It is four", "length", "10+50 magistral-small-latest"),
        new(
            "OpenRouter",
            """
            : OPENROUTER PROCESSING

            : OPENROUTER PROCESSING

            data: {"id":"gen-9","provider":"DeepInfra","model":"meta-llama/llama-3.1-8b-instruct","object":"chat.completion.chunk","created":1752000000,"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi","reasoning":null,"reasoning_details":[]},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}

            data: {"id":"gen-9","provider":"DeepInfra","model":"meta-llama/llama-3.1-8b-instruct","object":"chat.completion.chunk","created":1752000000,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"stop","logprobs":null}]}

            data: {"id":"gen-9","provider":"DeepInfra","model":"meta-llama/llama-3.1-8b-instruct","object":"chat.completion.chunk","created":1752000000,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":14,"completion_tokens":3,"total_tokens":17,"cost":0.0000021,"is_byok":false}}

            data: [DONE]


            """,
            "Hi", "stop", "14+3 meta-llama/llama-3.1-8b-instruct"),
        new(
            "Together",
            """
            data: {"id":"oBUtQrM","object":"chat.completion.chunk","created":1758039001,"choices":[{"index":0,"text":"The","logprobs":null,"finish_reason":null,"seed":null,"delta":{"token_id":791,"role":"assistant","content":"The","tool_calls":null}}],"model":"meta-llama/Llama-3.3-70B-Instruct-Turbo","usage":null}

            data: {"id":"oBUtQrM","object":"chat.completion.chunk","created":1758039001,"choices":[{"index":0,"text":" end","logprobs":null,"finish_reason":"eos","seed":4861,"delta":{"token_id":128009,"role":"assistant","content":" end","tool_calls":null}}],"model":"meta-llama/Llama-3.3-70B-Instruct-Turbo","usage":{"prompt_tokens":44,"completion_tokens":2,"total_tokens":46,"cached_tokens":0}}

            data: [DONE]


            """,
            "The end", "stop", "44+2 meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        new(
            "Perplexity, whole messages beside the deltas, in CRLF",
            "data: {\"id\":\"p\",\"model\":\"sonar\",\"created\":1,\"usage\":{\"prompt_tokens\":5,"
            + "\"completion_tokens\":1,\"total_tokens\":6},\"object\":\"chat.completion.chunk\",\"choices\":["
            + "{\"index\":0,\"finish_reason\":null,\"message\":{\"role\":\"assistant\",\"content\":\"Rome\"},"
            + "\"delta\":{\"role\":\"assistant\",\"content\":\"Rome\"}}]}\r\n\r\n"
            + "data: {\"id\":\"p\",\"model\":\"sonar\",\"created\":1,\"usage\":{\"prompt_tokens\":5,"
            + "\"completion_tokens\":2,\"total_tokens\":7},\"object\":\"chat.completion.chunk\",\"choices\":["
            + "{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"Rome.\"},"
            + "\"delta\":{\"role\":\"assistant\",\"content\":\".\"}}]}\r\n\r\n",
            "Rome.", "stop", "5+2 sonar"),
        new(
            "Moonshot, usage in the choice",
            """
            data: {"id":"m","object":"chat.completion.chunk","created":1,"model":"kimi-k2","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}

            data: {"id":"m","object":"chat.completion.chunk","created":1,"model":"kimi-k2","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}]}

            data: [DONE]


            """,
            "Hi", "stop", "8+1 kimi-k2"),
        new(
            "a proxy with empty roles and reasons, and times in fractions",
            """
            data: {"id":"","object":"chat.completion.chunk","created":1757714116.532,"model":"m","choices":[{"index":0,"delta":{"role":"","content":"Hi"},"finish_reason":""}]}

            data: {"id":null,"object":"chat.completion.chunk","created":"now","model":null,"choices":[{"index":0,"delta":{"role":"bot","content":"!"},"finish_reason":"","logprobs":""}],"usage":{}}

            data: null

            data: {"choices":[{"index":0,"delta":{"content":[null]},"finish_reason":null}]}

            data: {"choices":null}

            data: [DONE]


            """,
            "Hi!", null, null),
        new(
            "a server that cuts a character in two",
            """
            data: {"choices":[{"index":0,"delta":{"content":"a\ud83d"},"finish_reason":null}]}

            data: {"choices":[{"index":0,"delta":{"content":"\ude00b"},"finish_reason":"stop"}]}

            data: [DONE]


            """,
            "a😀b", "stop", null),
        new(
            "a server that ends without an empty line",
            "data:{\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata:[DONE]",
            "Hi", null, null),
        new(
            "a server that leaves out the empty lines",
            "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n"
            + "data: {\"choices\":[{\"delta\":{\"content\":\"!\"},\"finish_reason\":\"stop\"}]}\n"
            + "data: [DONE]\n",
            "Hi!", "stop", null),
        new(
            "a server that sends lines of JSON",
            "{\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n"
            + "{\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"!\"},\"finish_reason\":\"stop\"}],"
            + "\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":1}}\n",
            "Hi!", "stop", "2+1 m"),
        new(
            "a whole completion where a stream was asked for",
            """{"id":"c","object":"chat.completion","created":1,"model":"m","choices":"""
            + """[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null,"annotations":[]}"""
            + ""","logprobs":null,"finish_reason":"stop"}]"""
            + ""","usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}""",
            "Hi", "stop", "3+1 m"),
        new(
            "a whole completion over several lines, without a reason",
            """
            {
              "model": "m",
              "choices": [
                {
                  "message": {"role": "assistant", "content": "Hi"}
                }
              ],
              "usage": {"input_tokens": 3.0, "output_tokens": 1}
            }
            """,
            "Hi", null, "3+1 m"),
    ];

    public static readonly ErrorShape[] Errors =
    [
        new(
            "OpenAI, out of quota",
            """
            data: {"choices":[{"index":0,"delta":{"content":"I "},"finish_reason":null}]}

            data: {"error":{"message":"You exceeded your current quota, please check your plan."}}


            """,
            ErrorClass.RateLimited, "You exceeded your current quota, please check your plan."),
        new(
            "OpenAI, in trouble",
            """
            data: {"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}


            """,
            ErrorClass.Unavailable, "The server had an error while processing your request. Sorry about that!"),
        new(
            "vLLM",
            """
            data: {"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","param":null,"code":400}

            data: [DONE]


            """,
            ErrorClass.InvalidRequest, "This model's maximum context length is 4096 tokens."),
        new(
            "vLLM, newer",
            """
            data: {"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}

            data: [DONE]


            """,
            ErrorClass.Unavailable, "EngineCore encountered an issue."),
        new(
            "llama.cpp",
            """
            error: {"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}


            """,
            ErrorClass.InvalidRequest, "the request exceeds the available context size"),
        new(
            "LM Studio",
            """
            event: error
            data: {"error":{"message":"Compute error."},"message":"Compute error."}


            """,
            ErrorClass.Unavailable, "Compute error."),
        new(
            "Groq",
            """
            data: {"id":"chatcmpl-6","choices":[],"x_groq":{"id":"req_01","error":"over_capacity"}}


            """,
            ErrorClass.Unavailable, "over_capacity"),
        new(
            "OpenRouter",
            """
            data: {"id":"gen-9","object":"chat.completion.chunk","created":1752000000,"model":"openai/gpt-4o","provider":"OpenAI","error":{"code":429,"message":"Rate limit exceeded","metadata":{"provider_name":"OpenAI"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}


            """,
            ErrorClass.RateLimited, "Rate limit exceeded"),
        new(
            "OpenRouter, a whole answer",
            """{"error":{"code":402,"message":"Insufficient credits."},"user_id":"u"}""",
            ErrorClass.Unauthorized, "Insufficient credits."),
        new(
            "Mistral",
            """
            data: {"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","x"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error","param":null,"code":null}


            """,
            ErrorClass.InvalidRequest, "Extra inputs are not permitted"),
        new(
            "Ollama",
            """{"error":"model runner has unexpectedly stopped, """
            + """this may be due to resource limitations or an internal error"}""",
            ErrorClass.Unavailable,
            "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error"),
        new(
            "Azure",
            """{"error":{"message":"The response was filtered.","type":null"""
            + ""","param":"prompt","code":"content_filter","status":400}}""",
            ErrorClass.InvalidRequest, "The response was filtered."),
        new(
            "Gemini",
            """
            data: [{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}]


            """,
            ErrorClass.RateLimited, "Resource has been exhausted (e.g. check quota)."),
        new(
            "Gemini, a whole answer over several lines",
            """
            [{
              "error": {
                "code": 503,
                "message": "The model is overloaded. Please try again later.",
                "status": "UNAVAILABLE"
              }
            }
            ]
            """,
            ErrorClass.Unavailable, "The model is overloaded. Please try again later."),
        new(
            "a gateway",
            """{"message":"API key quota reached"}""",
            ErrorClass.RateLimited, "API key quota reached"),
        new(
            "a proxy that says it in words",
            "event: error\ndata: upstream timed out\n\n",
            ErrorClass.Timeout, "upstream timed out"),
    ];
}
