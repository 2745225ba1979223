// etcd's HTTP gateway: JSON in, JSON out; keys and values in base 64, 64-bit numbers as text. Used by EtcdLease.
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace MarginEngine.Promotion;

internal sealed class EtcdGateway : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="endpoint">Such as <c>http://127.0.0.1:2379</c>.</param>
    /// <param name="patience">How long one request may take.</param>
    public EtcdGateway(Uri endpoint, TimeSpan patience) => _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = endpoint, Timeout = patience };

    public static string Text(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>0 where there is none: the gateway leaves zeros out.</summary>
    public static long Number(JsonNode? number) => number is null ? 0 : long.Parse(number.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <exception cref="HttpRequestException">etcd cannot be reached or refuses.</exception>
    public async Task<JsonNode> Post(string what, JsonObject request)
    {
        using StringContent body = new(request.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using HttpResponseMessage response = await _http.PostAsync(new Uri($"/v3/{what}", UriKind.Relative), body).ConfigureAwait(false);
        string text = await response.Content.ReadAsStringAsync().ConfigureAwait(false);
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(text) ?? throw new HttpRequestException($"etcd answered {what} with nothing")
            : throw new HttpRequestException($"etcd refused {what}: {text}");
    }

    public void Dispose() => _http.Dispose();
}
