// Posts its second argument to its first and shows the answer as it comes: node's own fetch, which asks for a proxy
// where NODE_USE_ENV_PROXY says so.
const [url, body] = process.argv.slice(2);
const answer = await fetch(url, {method: 'POST', body, headers: {'content-type': 'application/json'}});
console.log(answer.status);
for await (const piece of answer.body) process.stdout.write(piece);
