export async function run(task, options) {
  const answer = await fetch(process.env.CLINE_API, { method: "POST", body: JSON.stringify({ task, mode: options.plan ? "plan" : "act" }) });
  console.log(await answer.text());
}
