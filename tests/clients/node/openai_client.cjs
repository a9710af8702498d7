// The openai package for JavaScript as it is: URL TOKEN MODEL EMBEDDER SCRIPTED.
const OpenAI = require('openai');

const [url, token, model, embedder, scripted] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
const hi = [{ role: 'user', content: 'hi' }];
const schema = {
  type: 'object', properties: { good: { type: 'boolean' } }, required: ['good'], additionalProperties: false,
};
const look = {
  type: 'function',
  function: { name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } },
};

async function streamed() {
  let text = '';
  for await (const chunk of await client.chat.completions.create({ model, messages: hi, max_tokens: 24, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
  }
  return text;
}

async function overResponses() {
  let text = '';
  for await (const event of await client.responses.create({ model, input: 'hi', max_output_tokens: 24, stream: true })) {
    if (event.type === 'response.output_text.delta') text += event.delta;
  }
  return text;
}

async function roundTrip() {
  const messages = [{ role: 'user', content: 'look up' }];
  const first = await client.chat.completions.create({ model: scripted, messages, tools: [look] });
  const call = first.choices[0].message.tool_calls[0];
  const called = JSON.parse(call.function.arguments);
  const result = { role: 'tool', tool_call_id: call.id, content: `${called.at} is blue` };
  const all = [...messages, first.choices[0].message, result];
  const last = await client.chat.completions.create({ model: scripted, messages: all, tools: [look] });
  return { called, answer: last.choices[0].message.content };
}

async function main() {
  const text = (await client.chat.completions.create({ model, messages: hi, max_tokens: 24 })).choices[0].message.content;
  const forced = await client.chat.completions.create({
    model, messages: hi, max_tokens: 24,
    response_format: { type: 'json_schema', json_schema: { name: 'mood', strict: true, schema } },
  });
  const vectors = (await client.embeddings.create({ model: embedder, input: ['one', 'two'] })).data;
  const found = {
    text, streamed: await streamed(), responses: await overResponses(),
    schema: JSON.parse(forced.choices[0].message.content),
    vectors: vectors.map((one) => one.embedding.length), ...(await roundTrip()),
  };
  console.log(JSON.stringify({ 'openai-js': found }));
}

main().catch((error) => { console.error(error); process.exit(1); });
